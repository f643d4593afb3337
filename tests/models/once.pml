/* SPDX-License-Identifier: MIT */
/*
 * Once, of src/thread/sync/once.c: 0 not yet, 1 running, 2 running and waited for, 3 done.
 * Proves, for 3 callers: the function is run by one, all go on, and none before it is done.
 * Mutants: 1 done wakes nobody; 2 who waits does not say so; 3 the first step is a look and a
 * store; 4 who is woken does not look again (one wake-up without a reason is enough).
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define N 3

byte word, runs, spurious = 1;
bool whole, asleep[N];

active [N] proctype caller()
{
	byte seen;

#if MUTANT == 3
	seen = word;
	if :: seen == 0 -> word = 1 :: else fi;
#else
	atomic { seen = word; if :: seen == 0 -> word = 1 :: else fi };
#endif
	if
	:: seen == 0 ->
		runs++;
		assert(runs == 1);
		whole = true;
		atomic { seen = word; word = 3 };
		if
		:: seen == 2 && MUTANT != 1 ->
			atomic { asleep[0] = false; asleep[1] = false; asleep[2] = false }
		:: else
		fi
	:: else ->
		do
		:: seen == 3 -> break
		:: else ->
			if
			:: seen == 1 && MUTANT != 2 ->
				atomic { seen = word; if :: seen == 1 -> word = 2 :: else fi }
			:: else
			fi;
			if
			:: seen != 3 ->
				atomic {
					if
					:: word == 2 || (MUTANT == 2 && word == 1) ->
						asleep[_pid] = true
					:: else
					fi
				}
				if
				:: !asleep[_pid]
				:: atomic { spurious && asleep[_pid] ->
					asleep[_pid] = false; spurious-- }
				fi
			:: else
			fi;
			seen = (MUTANT == 4 -> 3 : word)
		od
	fi;
	assert(whole)
}
