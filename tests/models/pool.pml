/* SPDX-License-Identifier: MIT */
/*
 * The pool of parked threads of src/thread/sync/pool.c, of two threads at most: somebody submits
 * three jobs and waits for them; another ends the pool at any moment. Or (THREADS 1) two submit to
 * one thread. There is room for QUEUE jobs; making a thread fails once, or not. A parked thread
 * gives up at any moment it sleeps, and may be made again; one wake-up without a reason, which the
 * deadline of who waits for a job is as well. What is done under the lock is one step, but for
 * leaving: mutex.pml is about locks.
 * Proves: a job that is taken is run once, others never; who waited for one finds it done and may
 * throw it away; whoever is to be woken is still there when its word is changed; nobody sleeps for
 * ever; when the pool has ended all jobs are done and no thread looks at it again.
 * Mutants: 1 who times out as a job is handed to it leaves; 2 it takes the job without waiting for
 * its word; 3 who sleeps does not say so in the word; 4 giving is a look and a store; 5 a thread
 * counts itself out after giving back the lock; 6 who ends it looks at the number of threads
 * without the lock; 7 who ends it leaves idle threads on the list; 8 a thread asks for the end
 * before it asks for a job; 9 the last thread wakes nobody; 10 a job is queued though there is no
 * thread and none can be made; 11 the next idle thread is looked for after the one before was
 * woken; 12 the kernel's look at the word before sleeping is left out; 13 a job is said to be done
 * before it is; 14 who times out as the pool ends leaves without waiting for its word.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef THREADS
#define THREADS 2
#endif
#ifndef QUEUE
#define QUEUE 2
#endif
#define JOBS 3
#define NONE 7

#define PENDING 0
#define GIVEN 1
#define ASLEEP 2

/* The pool. */
bool lock, closing;
byte threads, queue[2], queued, idle[2], idlers;

/* Of each parked thread and of each job: its word, and who sleeps on that. */
byte thread_word[THREADS], job_word[JOBS], given[THREADS];
bool thread_sleeps[THREADS], job_sleeps[JOBS], end_sleeps;
byte spurious = 1, failures = 1;

/* Who runs; what is promised; what memory is still there. */
bool made[THREADS], parked[THREADS], ended;
bool accepted[JOBS], done[JOBS], gone[JOBS];

inline look()
{
	assert(!ended)
}

/*
 * late: in vain. The first look is one step with the change before, each later one with the
 * kernel's: nothing is done between them.
 */
inline sleep_for(word, sleeps)
{
	atomic {
		if :: word == PENDING && MUTANT != 3 -> word = ASLEEP :: else fi;
		awake = (word == GIVEN)
	};
	do
	:: awake -> break
	:: else ->
#if MUTANT == 12
		sleeps = true;
#else
		atomic {
			if
			:: word == GIVEN -> awake = true
			:: word == (MUTANT == 3 -> PENDING : ASLEEP) -> sleeps = true
			fi
		};
#endif
		if
		:: atomic { !sleeps -> awake = (word == GIVEN) }
		/* The kernel: off the queue by a wake-up or by the clock, never both. */
		:: atomic { timed && sleeps -> sleeps = false; late = true }
		:: atomic { spurious && sleeps -> sleeps = false; spurious--; awake = (word == GIVEN) }
		fi;
		if
		:: late -> late = (word != GIVEN); break
		:: else
		fi
	od;
	awake = false
}

inline give(word, sleeps, is_there)
{
#if MUTANT == 4
	atomic { assert(is_there); old = word };
	atomic { assert(is_there); word = GIVEN };
#else
	atomic { assert(is_there); old = word; word = GIVEN };
#endif
	if
	:: old == ASLEEP -> sleeps = false
	:: else
	fi;
	old = 0
}

/* One step with the taking of the lock: only the kernel looks at the number without it. */
inline count_out()
{
#if MUTANT != 5
	threads--;
	left = threads;
#endif
	lock = true
}

inline leave()
{
#if MUTANT == 5
	lock = false;
	atomic { look(); threads--; left = threads; made[me] = false };
#else
	atomic { look(); lock = false; made[me] = false };
#endif
	if
	:: !left && MUTANT != 9 -> end_sleeps = false
	:: else
	fi;
	left = 0
}

inline dequeue()
{
	job = queue[0];
	queue[0] = queue[1];
	queue[1] = 0;
	queued--;
	assert(!gone[job])
}

inline park()
{
	idle[1] = idle[0];
	idle[0] = me;
	idlers++;
	thread_word[me] = PENDING;
	given[me] = NONE;
	parked[me] = true
}

/* With its job, or none: the pool has ended. */
inline unpark()
{
	job = given[me];
	assert(job != NONE || closing);
	given[me] = NONE;
	thread_word[me] = PENDING;
	parked[me] = false
}

/* Under the lock. */
inline forget()
{
	if
	:: idlers > 0 && idle[0] == me -> idle[0] = idle[1]; idle[1] = 0; idlers--; found = true
	:: idlers > 1 && idle[0] != me && idle[1] == me -> idle[1] = 0; idlers--; found = true
	:: else ->
		found = (MUTANT == 1 && given[me] != NONE || MUTANT == 14 && given[me] == NONE)
	fi
}

/* If there is none it is counted out and has the lock. */
inline next_job()
{
	job = NONE;
	atomic {
		!lock -> look();
		if
		:: queued && !(MUTANT == 8 && closing) -> dequeue()
		:: else -> if :: closing -> count_out() :: else -> park(); parking = true fi
		fi
	};
	if
	:: !parking
	:: else ->
		parking = false;
		timed = true;
		sleep_for(thread_word[me], thread_sleeps[me]);
		timed = false;
		if
		:: !late
		:: else ->
			atomic {
				!lock -> look();
				late = false;
				forget();
				if
				:: found ->
					found = false;
					parked[me] = false;
					count_out();
					goto none
				:: else
				fi
			};
			if
			:: MUTANT == 2 && given[me] != NONE
			:: else -> sleep_for(thread_word[me], thread_sleeps[me])
			fi
		fi;
		atomic {
			unpark();
			if
			:: job != NONE
			:: else -> !lock -> look(); count_out()
			fi
		};
none:		skip
	fi
}

active [THREADS] proctype thread()
{
	byte me = _pid, job, old, left;
	bool parking, late, awake, timed, found;

	do
	:: ended -> break
	:: made[me] ->
		do
		:: true ->
			next_job();
			if
			:: job == NONE -> leave(); break
			:: else
			fi;
#if MUTANT == 13
			give(job_word[job], job_sleeps[job], !gone[job]);
#endif
			atomic { assert(accepted[job] && !done[job] && !gone[job]); done[job] = true };
#if MUTANT != 13
			give(job_word[job], job_sleeps[job], !gone[job])
#endif
		od
	od
}

/* Under the lock. There is room: who leaves does both under the lock. */
inline make_thread()
{
	if
	:: !made[0] -> made[0] = true
#if THREADS > 1
	:: made[0] && !made[1] -> made[1] = true
#endif
	fi;
	threads++
}

inline submit(which)
{
	atomic {
		!lock -> worker = NONE;
		if
		:: closing
		:: !closing && idlers ->
			worker = idle[0];
			idle[0] = idle[1];
			idle[1] = 0;
			idlers--;
			given[worker] = which;
			accepted[which] = true
		:: else ->
			refused = false;
			if
			:: threads < THREADS -> make_thread()
			:: threads < THREADS && failures ->
				failures--;
				refused = (!threads && MUTANT != 10)
			:: else
			fi;
			if
			:: !refused && queued < QUEUE ->
				queue[queued] = which;
				queued++;
				accepted[which] = true
			:: else
			fi;
			refused = false
		fi
	};
	if
	:: worker == NONE
	:: else -> give(thread_word[worker], thread_sleeps[worker], parked[worker])
	fi
}

inline wait(which)
{
	if
	:: accepted[which] ->
		sleep_for(job_word[which], job_sleeps[which]);
		atomic { assert(done[which]); gone[which] = true }
	:: else
	fi
}

active proctype submitter()
{
	byte worker, old;
	bool late, awake, timed, refused;

	submit(0);
	submit(1);
	wait(0);
#if THREADS > 1
	submit(2);
	wait(2);
#endif
	wait(1)
}

#if THREADS == 1
active proctype another()
{
	byte worker, old;
	bool late, awake, timed, refused;

	submit(2);
	wait(2)
}
#endif

active proctype end()
{
	byte mine[2], count, seen, old;

	atomic {
		!lock -> closing = true;
		mine[0] = idle[0];
		mine[1] = idle[1];
		count = idlers;
#if MUTANT != 7
		idle[0] = 0;
		idle[1] = 0;
		idlers = 0
#endif
	};
	do
	:: !count -> break
	:: else ->
		/* And its next. */
		give(thread_word[mine[0]], thread_sleeps[mine[0]], parked[mine[0]]);
#if MUTANT == 11
		assert(parked[mine[0]]);
#endif
		atomic { mine[0] = mine[1]; mine[1] = 0; count-- }
	od;
	do
	:: atomic { !lock || MUTANT == 6 -> look(); seen = threads };
		if
		:: !seen -> break
		:: else
		fi;
		atomic { if :: threads == seen || MUTANT == 12 -> end_sleeps = true :: else fi; seen = 0 };
		if
		:: !end_sleeps
		:: atomic { spurious && end_sleeps -> end_sleeps = false; spurious-- }
		fi
	od;
	atomic {
		ended = true;
		assert(!threads);
		for (seen : 0 .. JOBS - 1) { assert(accepted[seen] == done[seen]) }
	}
}
