/* SPDX-License-Identifier: MIT */
/*
 * The read-write lock of src/thread/sync/rwlock.c: two readers and two writers, of so many rounds
 * each. A reader and a writer give up at any moment they sleep, the other writer may only try; one
 * wake-up without a reason. What the code compares and exchanges at once is a step here. The phase
 * is a bit and the count of times that the last writer gave up is one or two (GIVE_UPS), so that it
 * overflows or does not. `turn` is one step: mutex.pml is about locks.
 * Proves: a writer is alone; a reader that comes while a writer has it or wants it gets in only
 * after a writer's end; no more than one writer goes before a reader that waits; nobody sleeps
 * for ever; who gives up leaves nothing behind; the lock is free at the end; who gets it after all
 * others may throw it away.
 * Mutants: 1 the last reader wakes no writer; 2 the last writer to give up changes the phase and
 * lets in those that wait; 3 `turn` is given back after the end; 4 the next writer does not wait
 * for the end of the one before; 5 new readers do not wait for writers that wait; 6 the last writer
 * to give up wakes no reader; 7 a reader that gives up does not look whether it was let in;
 * 8 readers are let in only when no writer is left; 9 a reader goes in by itself while a writer has
 * it; 10 a writer's end wakes no other writer; 11 the kernel's look at the word before sleeping is
 * left out; 12 a writer's end wakes no reader.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef GIVE_UPS
#define GIVE_UPS 2
#endif
/* Rounds of each. */
#ifndef R0
#define R0 1
#endif
#ifndef R1
#define R1 1
#endif
#ifndef W0
#define W0 2
#endif
#ifndef W1
#define W1 1
#endif
#define READERS 2
#define N 4
#define TIMED (_pid == 0 || _pid == READERS)

/* The two halves. */
#define LOW (readers + 4 * held + 8 * waiters)
#define HIGH (writers + 4 * phase + 8 * give_ups)

/* The writer that it waited for has given up. */
#define MAY_GO_IN (MUTANT != 2 && \
		   (!writers || give_ups != old_give_ups && (!held || MUTANT == 9)))

byte readers, waiters, writers, give_ups, spurious = 1;
bool held, phase, turn, asleep[N];

/* Not of the lock: who is in it, what is promised, who may still look at it. */
byte reading, writing, back;
bool late_comer[READERS], gone;
byte passed[READERS];
#define NOT_WAITING 0
#define WAITING 1
#define PASSED 2

#define BUSY 0
#define ENDING 1 /* its last time in the lock is over; in the call that says so */
#define BACK 2
byte left[N];

inline look()
{
	assert(!gone)
}

inline sleep_on(half)
{
	atomic {
		look();
		if :: half == seen || MUTANT == 11 -> asleep[_pid] = true :: else fi;
		seen = 0
	};
	if
	:: atomic { !asleep[_pid] -> skip }
	/* The kernel: off the queue by a wake-up or by the clock, never both. */
	:: atomic { TIMED && asleep[_pid] -> asleep[_pid] = false; late = true }
	:: atomic { spurious && asleep[_pid] -> asleep[_pid] = false; spurious-- }
	fi
}

inline wake_writer()
{
	if
	:: asleep[2] -> asleep[2] = false
	:: asleep[3] -> asleep[3] = false
	:: else
	fi
}

/* Got after all others: their last look is over, as far as anybody can know. */
inline see_others(needed)
{
	if
	:: rounds > 1
	:: else ->
		left[_pid] = BACK;
		last = left[0] >= needed && left[1] >= needed && left[2] && left[3];
		left[_pid] = ENDING
	fi
}

inline come_back()
{
	if :: last -> gone = true :: else fi;
	last = false;
	have = false;
	late = false;
	rounds--;
	if
	:: rounds
	:: else ->
		left[_pid] = BACK;
		back++;
		assert(back < N || !readers && !waiters && !writers && !held && !turn)
	fi
}

inline got_to_read()
{
	have = true;
	reading++;
	assert(!writing && !late_comer[_pid]);
	mine = false;
	old_give_ups = 0
}

active [READERS] proctype reader()
{
	byte seen, old_give_ups, rounds = (_pid == 0 -> R0 : R1);
	bool have, late, gives_up, mine, last;

	do
	:: !rounds -> break
	:: else ->
		atomic {
			look();
			late_comer[_pid] = writers > 0;
			if
			:: writers && (MUTANT != 5 || held) ->
				waiters++;
				passed[_pid] = WAITING;
				mine = phase;
				old_give_ups = give_ups
			:: else ->
				readers++;
				got_to_read()
			fi
		};
		do
		:: have || gives_up -> break
		:: else ->
			atomic {
				look();
				if
				:: MUTANT == 7 && late -> waiters--; gives_up = true
				:: else ->
					if
					:: phase != mine -> got_to_read()
					:: phase == mine && MAY_GO_IN ->
						waiters--;
						readers++;
						got_to_read()
					:: else ->
						if
						:: late -> waiters--; gives_up = true
						:: else -> seen = HIGH
						fi
					fi
				fi;
				if :: have || gives_up -> passed[_pid] = NOT_WAITING :: else fi
			};
			if
			:: have || gives_up
			:: else -> sleep_on(HIGH)
			fi
		od;
		if
		:: gives_up ->
			atomic { gives_up = false; mine = false; old_give_ups = 0; come_back() }
		:: else ->
			atomic {
				reading--;
				see_others(BACK);
				look();
				readers--;
				if
				:: !readers && writers && MUTANT != 1
				:: else -> goto returned
				fi
			};
			atomic { wake_writer();
returned:			come_back() }
		fi
	od
}

inline end_turn(had)
{
	atomic {
		look();
		writers--;
		if
		:: had || MUTANT == 2 && !writers ->
			if :: had -> held = false :: else fi;
			if
			:: MUTANT == 8 && writers
			:: else ->
				readers = readers + waiters;
				to_readers = (waiters > 0);
				waiters = 0;
				phase = !phase;
				passed[0] = NOT_WAITING;
				passed[1] = NOT_WAITING
			fi;
			to_writer = (had && !to_readers && writers && MUTANT != 10)
		:: else ->
			if
			:: !writers -> give_ups = (give_ups + 1) % GIVE_UPS; to_readers = (waiters && MUTANT != 6)
			:: else
			fi
		fi;
		if
		:: had || !writers -> late_comer[0] = false; late_comer[1] = false
		:: else
		fi
	};
	atomic {
		if
		:: to_readers ->
			if :: MUTANT != 12 || !had -> asleep[0] = false; asleep[1] = false :: else fi
		:: else -> if :: to_writer -> wake_writer() :: else fi
		fi;
		to_readers = false;
		to_writer = false
	}
}

inline get()
{
	held = true;
	have = true;
	writing++;
	assert(writing == 1 && !reading);
	assert(passed[0] != PASSED && passed[1] != PASSED);
	if :: passed[0] == WAITING -> passed[0] = PASSED :: else fi;
	if :: passed[1] == WAITING -> passed[1] = PASSED :: else fi
}

active [N - READERS] proctype writer()
{
	byte seen, rounds = (_pid == READERS -> W0 : W1);
	bool have, late, last, to_readers, to_writer;

	do
	:: !rounds -> break
	:: else ->
		if
		/* Only tries. */
		:: atomic { !TIMED && !turn -> look(); turn = true };
			atomic {
				look();
				if
				:: !readers && !held && !writers -> writers++; get()
				:: else
				fi
			};
			if
			:: !have -> atomic { look(); turn = false }
			:: else
			fi
		:: atomic { look(); writers++ };
			if
			:: atomic { !turn -> look(); turn = true }
			:: atomic { turn && TIMED -> look(); late = true }
			fi;
			if
			:: late -> end_turn(false)
			:: else ->
				do
				:: have -> break
				:: else ->
					atomic {
						look();
						if
						:: !readers && (!held || MUTANT == 4) -> get()
						:: else -> seen = LOW
						fi
					};
					if
					:: have
					:: else ->
						if
						:: late ->
							atomic { look(); turn = false };
							end_turn(false);
							break
						:: else -> sleep_on(LOW)
						fi
					fi
				od
			fi
		fi;
		if
		:: have ->
			atomic {
				writing--;
				see_others(ENDING);
				if :: MUTANT != 3 -> look(); turn = false :: else fi
			};
			end_turn(true);
			if :: MUTANT == 3 -> atomic { look(); turn = false } :: else fi
		:: else
		fi;
		atomic { come_back() }
	od
}
