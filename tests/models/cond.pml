/* SPDX-License-Identifier: MIT */
/*
 * The condition variable of src/thread/sync/cond.c with its mutex: waiters with a word each, a
 * broadcast that moves sleepers to the mutex, a signal, deadlines, wake-ups without a reason.
 * Waiters wait for a flag; one of them gives up at any moment. A waker sets the flag under the
 * mutex and broadcasts, holding it or not, or wakes one after the other by signals (SIGNALS).
 * TWICE: it broadcasts once for nothing before, so that waiters come again in the same place.
 * The lock of the list is one step here: mutex.pml is about locks.
 * Proves: all come back, with the mutex, one at a time; nobody looks at a waiter that has gone, at
 * the condition variable once all have, or sleeps for ever.
 * Mutants: 1 the first is woken before the others are moved; 2 who was moved takes the mutex with
 * 1; 3 one that was not asleep to be moved is not woken; 4 one that slept again meanwhile is not
 * woken; 5 who gives up does not ask whether it was taken off the list; 6 the waiter enters the
 * list after giving back the mutex; 7 the word is changed before the waiter is moved, and it is
 * moved whatever its word says.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef SIGNALS
#define SIGNALS 0
#endif
#ifndef TWICE
#define TWICE 0
#endif
#ifndef N
#define N 2
#endif
#define WAKER N

#define WAITING 0
#define AGAIN 1
#define WOKEN 2
#define CHAIN 3

#define NOWHERE 0
#define NODE 1
#define MUTEX 2

byte mutex, inside, spurious = 1;
byte place[N + 1];          /* where it sleeps */
byte word[N];
bool taken[N], gone[N], flag;
byte list[3], length;       /* the oldest first */
byte back;

inline wake_mutex()
{
	atomic {
		if
		:: place[0] == MUTEX -> place[0] = NOWHERE
		:: place[1] == MUTEX -> place[1] = NOWHERE
		:: place[2] == MUTEX -> place[2] = NOWHERE
#if N > 2
		:: place[3] == MUTEX -> place[3] = NOWHERE
#endif
		:: else
		fi
	}
}

/* first: try 1; else as one of many. */
inline take_mutex(me, chain)
{
	old = 1;
	if
	:: !(chain) -> atomic { if :: mutex == 0 -> mutex = 1; old = 0 :: else fi }
	:: else
	fi;
	do
	:: old == 0 -> break
	:: else ->
#if MUTANT == 2
		atomic { old = mutex; if :: old == 0 && chain -> mutex = 1 :: else -> mutex = 2 fi };
#else
		atomic { old = mutex; mutex = 2 };
#endif
		if
		:: old != 0 ->
			atomic { if :: mutex == 2 -> place[me] = MUTEX :: else fi };
			place[me] == NOWHERE
		:: else
		fi
	od;
	atomic { inside++; assert(inside == 1); old = 0 }
}

inline give_mutex()
{
	atomic { inside--; old = mutex; mutex = 0 };
	if :: old == 2 -> wake_mutex() :: else fi;
	old = 0
}

inline append(me)
{
	atomic { list[length] = me; length++ }
}

inline take_off(me)
{
	if
	:: length > 0 && list[0] == me -> list[0] = list[1]; list[1] = list[2]
	:: length > 1 && list[0] != me && list[1] == me -> list[1] = list[2]
	:: length > 2 && list[0] != me && list[1] != me && list[2] == me
	:: else -> assert(false)
	fi;
	list[2] = 0;
	length--;
	taken[me] = true
}

inline wait(me)
{
	atomic { word[me] = WAITING; taken[me] = false; gone[me] = false };
#if MUTANT == 6
	give_mutex();
	append(me);
#else
	append(me);
	give_mutex();
#endif
	gave_up = false;
	do
	:: word[me] >= WOKEN || gave_up -> break
	:: else ->
		seen = word[me];
		/* The kernel looks at the word again before it lets sleep. */
		atomic { if :: seen < WOKEN && word[me] == seen -> place[me] = NODE :: else fi };
		if
		:: place[me] == NOWHERE
		:: atomic { me == 0 && !limitless && place[me] != NOWHERE ->
			place[me] = NOWHERE; late = true }
		:: atomic { spurious && place[me] != NOWHERE ->
			place[me] = NOWHERE; spurious-- }
		fi;
		atomic {
			if
			:: late && !taken[me] -> take_off(me); gave_up = true
#if MUTANT == 5
			:: late && taken[me] -> gave_up = true
#endif
			:: late && taken[me] -> limitless = true
			:: !late
			fi;
			late = false
		};
		if
		:: !gave_up -> atomic { if :: word[me] == WAITING -> word[me] = AGAIN :: else fi }
		:: else
		fi
	od;
	atomic { chain = (word[me] == CHAIN && !gave_up); seen = 0; gone[me] = true };
	take_mutex(me, chain)
}

active [N] proctype waiter()
{
	byte old, seen;
	bool late, gave_up, limitless, chain;

	take_mutex(_pid, false);
	do
	:: flag || gave_up -> break
	:: else -> wait(_pid)
	od;
	give_mutex();
	back++
}

inline wake_node(it)
{
	atomic { if :: place[it] == NODE -> place[it] = NOWHERE :: else fi }
}

inline wake(it, how)
{
	assert(!gone[it]);
	word[it] = how;
	wake_node(it)
}

inline move(it)
{
	assert(!gone[it]);
#if MUTANT == 7
	word[it] = CHAIN;
	moved = false;
	atomic { if :: place[it] == NODE -> place[it] = MUTEX; moved = true :: else fi };
	was = WAITING;
#else
	moved = false;
	atomic {
		if
		:: word[it] == WAITING && place[it] == NODE -> place[it] = MUTEX; moved = true
		:: else
		fi
	};
	assert(!gone[it]);
	atomic { was = word[it]; word[it] = CHAIN };
#endif
	if
	:: !moved && MUTANT != 3 && MUTANT != 7 -> wake_node(it)
	:: moved && was != WAITING && MUTANT != 4 -> wake_node(it)
	:: else
	fi
}

inline broadcast()
{
	/* Without the lock: whoever must be seen was there before the mutex was given back. */
	if
	:: length == 0
	:: else ->
		atomic {
			assert(back < N || length == 0);
			for (count : 0 .. length - 1) {
				mine[count] = list[count];
				taken[list[count]] = true;
				list[count] = 0
			}
			count = length;
			length = 0
		};
		if
		:: count == 1 -> wake(mine[0], WOKEN)
		:: count > 1 ->
#if MUTANT == 1
			wake(mine[0], CHAIN);
#endif
			move(mine[1]);
			if :: count > 2 -> move(mine[2]) :: else fi;
#if MUTANT != 1
			wake(mine[0], CHAIN)
#endif
		:: else
		fi
	fi
}

inline signal()
{
	if
	:: length == 0
	:: else ->
		atomic {
			count = length;
			if
			:: count > 0 -> mine[0] = list[0]; take_off(mine[0])
			:: else
			fi
		};
		if :: count > 0 -> wake(mine[0], WOKEN) :: else fi
	fi
}

active proctype waker()
{
	byte old, was, count, mine[3];
	bool moved, holding;

#if TWICE
	broadcast();
#endif
	take_mutex(WAKER, false);
	flag = true;
	if :: holding = true :: holding = false fi;
	if :: !holding -> give_mutex() :: else fi;
#if SIGNALS
	signal();
	signal();
	signal();
#else
	broadcast();
#endif
	if :: holding -> give_mutex() :: else fi
}
