/* SPDX-License-Identifier: MIT */
/*
 * The mutex of src/thread/sync/mutex.c: 0 free, 1 held, 2 held and perhaps waited for.
 * Proves, for 3 threads of 2 rounds each, one of which gives up at any moment it sleeps, and one
 * wake-up without a reason: never two inside; nobody sleeps for ever; it is free at the end.
 * Mutants: 1 giving back wakes nobody; 2 who has slept takes it with 1; 3 the kernel's look at the
 * word before sleeping is left out; 4 giving back is a look and a store.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define N 3

byte word, inside, done, spurious = 1;
bool asleep[N];

inline wake()
{
	atomic {
		if
		:: asleep[0] -> asleep[0] = false
		:: asleep[1] -> asleep[1] = false
		:: asleep[2] -> asleep[2] = false
		:: else
		fi
	}
}

inline sleep_on(value)
{
	late = false;
	atomic {
		if
		:: MUTANT == 3 || word == value -> asleep[_pid] = true
		:: else
		fi
	}
	if
	:: !asleep[_pid]
	/* The kernel: off the queue by a wake-up or by the clock, never both. */
	:: atomic { _pid == 0 && asleep[_pid] -> asleep[_pid] = false; late = true }
	:: atomic { spurious && asleep[_pid] -> asleep[_pid] = false; spurious-- }
	fi
}

inline exchange(old, new)
{
	atomic { old = word; word = new }
}

active [N] proctype thread()
{
	byte old, round;
	bool late, have;

	do
	:: round < 2 ->
		have = false;
		late = false;
		atomic {
			if
			:: word == 0 -> word = 1; have = true
			:: else
			fi
		}
		do
		:: have || late -> break
		:: else ->
#if MUTANT == 2
			atomic { old = word; if :: word == 0 -> word = 1 :: else -> word = 2 fi }
#else
			exchange(old, 2);
#endif
			if
			:: old == 0 -> have = true
			:: else -> sleep_on(2)
			fi
		od;
		if
		:: have ->
			inside++;
			assert(inside == 1);
			inside--;
#if MUTANT == 4
			old = word;
			word = 0;
#else
			exchange(old, 0);
#endif
			if
			:: old == 2 && MUTANT != 1 -> wake()
			:: else
			fi
		:: else
		fi;
		round++
	:: else -> break
	od;
	done++
}

/* At every end. Spin itself looks for those who stand still. */
active proctype judge()
{
	done == N -> assert(word == 0 && inside == 0)
}
