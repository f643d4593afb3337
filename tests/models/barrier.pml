/* SPDX-License-Identifier: MIT */
/*
 * The barrier of src/thread/sync/barrier.c, for 3 threads of 2 rounds each; one of them throws it
 * away then. One wake-up without a reason. The number of the round is a bit: all are in each.
 * Proves: nobody goes on before all have come; one is told to be the last; nobody sleeps for ever;
 * nobody looks at it once it was destroyed.
 * Mutants: 1 the last wakes nobody; 2 arriving is a look and a store; 3 a thread leaves before it
 * has seen the round's end; 4 who destroys it does not wait; 5 who leaves wakes nobody; 6 who is
 * woken does not look again; 7 the kernel's look at the word before sleeping is left out.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define N 3
#define ROUNDS 2

bool round, destroyer, destroyed, asleep[N], destroyer_sleeps;
byte arrived, inside, come, serials, spurious = 1;

inline look()
{
	assert(!destroyed)
}

inline leave()
{
	atomic {
		look();
		inside--;
		wake = (destroyer && !inside && MUTANT != 5)
	};
	if :: wake -> destroyer_sleeps = false :: else fi;
	wake = false
}

inline arrive()
{
	last = (arrived + 1 == N);
	if
	:: last -> arrived = 0; round = !mine; serials++
	:: else -> arrived++
	fi
}

active [N] proctype thread()
{
	byte n, seen;
	bool mine, last, wake;

	do
	:: n == ROUNDS -> break
	:: else ->
		atomic { look(); inside++; come++ };
#if MUTANT == 2
		atomic { look(); mine = round; seen = arrived };
		atomic { arrived = seen; arrive(); seen = 0 };
#else
		atomic { look(); mine = round; arrive() };
#endif
		if
		:: last ->
			if :: MUTANT != 1 -> d_step { asleep[0] = false; asleep[1] = false; asleep[2] = false }
			:: else
			fi
		:: else ->
			if :: MUTANT == 3 -> leave() :: else fi;
			do
			:: atomic { round != mine -> look() }; break
			:: atomic { round == mine -> look() };
				atomic {
					look();
					if
					:: round == mine || MUTANT == 7 -> asleep[_pid] = true
					:: else
					fi
				};
				if
				:: !asleep[_pid]
				:: atomic { spurious && asleep[_pid] -> asleep[_pid] = false; spurious-- }
				fi;
				if :: MUTANT == 6 -> break :: else fi
			od
		fi;
		n++;
		assert(come >= n * N && serials >= n);
		if :: last || MUTANT != 3 -> leave() :: else fi;
		mine = false;
		last = false
	od;
	if
	:: _pid == 0 ->
		atomic { destroyer = true; seen = inside };
		do
		:: !seen || MUTANT == 4 -> break
		:: else ->
			atomic { if :: inside == seen || MUTANT == 7 -> destroyer_sleeps = true :: else fi };
			if
			:: !destroyer_sleeps
			:: atomic { spurious && destroyer_sleeps ->
				destroyer_sleeps = false; spurious-- }
			fi;
			seen = inside
		od;
		destroyed = true;
		assert(serials == ROUNDS && !arrived)
	:: else
	fi
}
