/* SPDX-License-Identifier: MIT */
/*
 * A thread's end, of src/thread/native/end.c and stack.c: who frees its memory, and when it is used
 * again. One thread ends; another joins it or detaches it, at any moment, or it was detached from
 * the start; a third looks for kept memory to run on; memory that is unmapped may be mapped by
 * somebody else at once. Both outcomes of 'is there room to keep it' are tried.
 * Proves: memory is freed exactly once, by one of them; nobody has it while the thread may still
 * touch it, the kernel's clearing of the word included; a joiner has the result; nobody waits for
 * ever.
 * Mutants: 1 kept memory is taken without a look at the word; 2 who detaches late frees without
 * waiting for it; 3 the kernel is not told to leave the word alone before the unmapping; 4 the
 * state is changed by a look and a store; 5 the kernel clears the word and wakes nobody.
 */
#ifndef MUTANT
#define MUTANT 0
#endif

#define JOINABLE 0
#define DETACHED 1
#define FINISHED 2

byte alive = 1, state = JOINABLE, freed, done;
bool kept, room, on_stack = true, unmapped, others, clears = true, asleep, result, want_join;

/* The memory is another's from here on. */
inline use_again()
{
	atomic { assert(!on_stack); others = true }
}

inline give_back()
{
	freed++;
	assert(freed == 1);
	if
	:: room -> kept = true
	:: else -> unmapped = true; use_again()
	fi
}

inline await_gone()
{
	do
	:: alive == 0 -> break
	:: else ->
		atomic { if :: alive != 0 -> asleep = true :: else fi }
		!asleep
	od
}

active proctype thread()
{
	byte was;

	result = true;
#if MUTANT == 4
	was = state;
	if :: was == JOINABLE -> state = FINISHED :: else fi;
#else
	atomic { was = state; if :: was == JOINABLE -> state = FINISHED :: else fi };
#endif
	if
	:: was == JOINABLE
	:: else ->
		freed++;
		assert(freed == 1);
		if
		:: room -> kept = true
		:: else ->
			if :: MUTANT != 3 -> clears = false :: else fi;
			/* No stack from here on, but the kernel may clear the word. */
			atomic { on_stack = false; unmapped = true }
		fi
	fi;
	/* The call that ends it; on its own stack until then, unless that is unmapped. */
	if
	:: clears ->
		atomic {
			assert(!others && !unmapped);
			on_stack = false;
			alive = 0;
			if :: MUTANT != 5 -> asleep = false :: else fi
		}
	:: else
	fi;
	done++
}

active proctype other()
{
	byte was = JOINABLE;

	if :: want_join = true :: want_join = false fi;
	if
	:: want_join ->
		await_gone();
		assert(state == FINISHED && result);
		give_back()
	:: else ->
#if MUTANT == 4
		was = state;
		if :: was == JOINABLE -> state = DETACHED :: else fi;
#else
		atomic { was = state; if :: was == JOINABLE -> state = DETACHED :: else fi };
#endif
		if
		:: was == FINISHED ->
			if :: MUTANT != 2 -> await_gone() :: else fi;
			give_back()
		:: else
		fi
	fi;
	done++
}

/* What it finds in the list it takes once it is nobody's. */
active proctype maker()
{
	if
	:: kept && (alive == 0 || MUTANT == 1) -> use_again()
	:: done == 2 && !kept
	fi
}

init
{
	if :: room = true :: room = false fi;
	done == 2;
	assert(freed == 1);
	assert(!on_stack)
}
