/* SPDX-License-Identifier: MIT */
/*
 * The semaphore of src/thread/sync/sem.c: value and number of waiters are one word. Two post twice
 * each; one waits once, one twice, and a third once, but gives up at any moment it sleeps. One
 * wake-up without a reason.
 * Proves: no more go on than were posted; nobody sleeps for ever; no waiter is counted at the end;
 * when all have been taken and who took them is back, it may be thrown away.
 * Mutants: 1 who posts wakes nobody; 2 it looks for waiters after it has posted; 3 who gives up is
 * counted for ever; 4 who is about to sleep is not counted; 5 taking is a look and a store; 6 who
 * is woken takes one without a look; 7 the kernel's look at the word before sleeping is left out.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define WAITERS 3
#define POSTERS 2
#define POSTS 4
#define TIMED (_pid == 2)

byte value, waiters, posted, taken, back, spurious = 1;
bool gone, asleep[WAITERS];

inline look()
{
	assert(!gone)
}

/* With the waiter, if it is counted. */
inline take()
{
#if MUTANT == 5
	seen = value;
#endif
	atomic {
		look();
		if
		:: MUTANT == 5 && seen -> value = seen - 1; have = true
		:: MUTANT != 5 && value || MUTANT == 6 && woken -> value--; have = true
		:: else
		fi;
		if
		:: have ->
			waiters = waiters - counted;
			counted = 0;
			taken++;
			assert(taken <= posted)
		:: else
		fi
	}
}

active [WAITERS] proctype waiter()
{
	byte rounds = (_pid == 1 -> 2 : 1), seen, counted;
	bool have, late, woken;

	do
	:: !rounds -> break
	:: else ->
		take();
		if
		:: have
		:: else ->
			if
			:: MUTANT != 4 -> atomic { look(); waiters++; counted = 1 }
			:: else
			fi;
			do
			:: take();
				if
				:: have -> break
				:: !have && late ->
					atomic {
						look();
						if :: MUTANT != 3 -> waiters = waiters - counted :: else fi
					};
					break
				:: else
				fi;
				atomic {
					look();
					if :: !value || MUTANT == 7 -> asleep[_pid] = true :: else fi
				};
				if
				:: atomic { !asleep[_pid] -> woken = true }
				/* The kernel: off the queue by a wake-up or by the clock, never both. */
				:: atomic { TIMED && asleep[_pid] -> asleep[_pid] = false; late = true }
				:: atomic { spurious && asleep[_pid] ->
					asleep[_pid] = false; spurious--; woken = true }
				fi
			od
		fi;
		atomic { have = false; late = false; woken = false; counted = 0; seen = 0; rounds-- }
	od;
	atomic {
		back++;
		if
		:: back == WAITERS -> assert(!waiters && value + taken == posted)
		:: else
		fi;
		if
		:: back == WAITERS && taken == POSTS -> gone = true
		:: else
		fi
	}
}

active [POSTERS] proctype poster()
{
	byte rounds = POSTS / POSTERS;
	bool wake;

	do
	:: !rounds -> break
	:: else ->
		atomic { look(); posted++; value++; wake = (waiters > 0) };
#if MUTANT == 2
		atomic { look(); wake = (waiters > 0) };
#endif
		if
		:: wake && MUTANT != 1 ->
			atomic {
				if
				:: asleep[0] -> asleep[0] = false
				:: asleep[1] -> asleep[1] = false
				:: asleep[2] -> asleep[2] = false
				:: else
				fi
			}
		:: else
		fi;
		rounds--
	od
}
