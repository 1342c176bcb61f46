/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The protocol between the filler and the reader of a fault ring, as doc/fault-ring.md has it: each
 * access to a word that the other side writes is a step of its own. Groups are one record each;
 * indices count on as they do there. Every interleaving comes to an end, and there all faults are
 * answered exactly once: whether the reader lives, dies at any step (WITH_DEATH), or is late at any
 * step (WITH_DEADLINE). Where the filler dies at any step (WITH_FILLER_DEATH), none is answered
 * twice, and the reader does not sleep for ever.
 *
 * Compiled with one of the WITHOUT_ names, one rule of the protocol is left out; the search must
 * then find the harm it does, which is how the model itself is tested.
 */
/* What a real token has, and the fault it was made for, so that a wrong answer is seen. */
#define TOKEN(slot, generation, fault) (((fault) * 8 + (generation)) * SLOTS + (slot))
#define SLOT(token)                    ((token) % SLOTS)
#define GENERATION(token)              ((token) / SLOTS % 8)
#define FAULT(token)                   ((token) / SLOTS / 8)

/*
 * A deadline frees slots whose groups the reader still holds: it may then complete those and as
 * many new ones before the filler looks. With fewer places a reader has to wait for room, as one
 * has to that completes what is stale.
 */
#ifndef COMPLETIONS
#define COMPLETIONS (2 * SLOTS)
#endif

mtype = {OPEN, CONDEMNED};

/*
 * A wait word holds a new number for each wait, and the other side remembers the last one that it
 * rang for. Here it is whether somebody waits, and whether it has been rung for this wait.
 */
#define WAIT(word, rung) atomic { word = true; rung = false }
#define ANSWER(word, rung, wanted)                                                                 \
	atomic {                                                                                   \
		w = word && !rung && (wanted);                                                     \
		if                                                                                 \
		:: w -> rung = true                                                                \
		:: else                                                                            \
		fi                                                                                 \
	}

/* Memory A, written by the filler. */
byte prod, taken;
bool a_wait, a_scarce, kicked;
mtype status = OPEN;
byte record[RECORDS];
/* Memory B, written by the reader. */
byte cons, made;
bool b_wait, b_scarce, woken;
byte completion[COMPLETIONS];

/* The two eventfds, the ends of the socket, SIGKILL. */
bool bell, kick, hangup, killed, reader_gone, filler_killed, filler_gone;
byte answered[FAULTS];

inline answer(number)
{
	answered[number]++;
	assert(answered[number] == 1)
}

inline retire(slot)
{
	answer(fault[slot]);
	busy[slot] = false;
	generation[slot]++;
	outstanding--
}

inline ring()
{
	if
	:: w -> atomic { bell = true; w = false }
	:: else
	fi
}

/* Its own: the fault in each slot, where its record ends, how far both sides have come. */
proctype filler()
{
	byte fault[SLOTS], end[SLOTS], generation[SLOTS];
	bool busy[SLOTS];
	byte fetched, outstanding, p, t, last, m, i;
	bool polled, w, due, scarce, late, expire, condemn, first, worked;
#ifdef WITH_DEADLINE
	late = true;
#endif

	{
	polled = true;
end_poll:
	atomic {
		if
		:: kick ->
			kick = false;
#ifndef WITHOUT_WAIT_AFTER_KICK
			/* It is spent, perhaps on what had been seen before. */
			a_wait = false
#endif
		/* A fault that has not come yet and a filler that has not run yet are the same. */
		:: polled && fetched < FAULTS -> due = true
#ifndef WITHOUT_HANGUP
		:: hangup && status == OPEN -> condemn = true
#endif
		/* Once is enough to see what it does. */
		:: late && outstanding > 0 && status == OPEN -> late = false; expire = true
		fi
		first = true
	}
dispatch:
	m = made;
	/* Room is looked for at first, and later where it matters; or because the ring is half full. */
	if
	:: last = cons
	:: !first && !scarce
	fi;
	/* What is at work need not be kicked. */
	if
	:: m != t && a_wait -> a_wait = false
	:: else
	fi;
	/* What the reader has completed. */
	atomic {
		first = false;
		worked = m != t;
		do
		:: t != m && status == OPEN ->
			i = SLOT(completion[t % COMPLETIONS]);
			if
			:: busy[i] &&
#ifndef WITHOUT_GENERATIONS
			   generation[i] == GENERATION(completion[t % COMPLETIONS]) &&
#endif
			   true ->
				assert(fault[i] == FAULT(completion[t % COMPLETIONS]));
				retire(i)
			:: else
			fi;
			t++
		:: else -> break
		od;
		i = 0; m = 0
	}
	taken = t;
	/* Late: a group that was consumed dies alone, one that was not condemns the reader. */
	if
	:: expire -> last = cons
	:: else
	fi;
	atomic {
		do
		:: expire && i < SLOTS && busy[i] && end[i] <= last ->
			retire(i);
#ifdef WITHOUT_NEW_GENERATION
			generation[i]--;
#endif
			i++
		:: expire && i < SLOTS && busy[i] && end[i] > last -> condemn = true; i++
		:: expire && i < SLOTS && !busy[i] -> i++
		:: !expire || i == SLOTS -> break
		od;
		i = 0; expire = false
	}
	if
	:: condemn && status == OPEN ->
		status = CONDEMNED;
#ifndef WITHOUT_FAREWELL
		ANSWER(b_wait, woken, true);
		ring();
#endif
		atomic {
			do
			:: i < SLOTS && busy[i] -> retire(i); i++
			:: i < SLOTS && !busy[i] -> i++
			:: i == SLOTS -> break
			od;
			i = 0
		}
	:: else
	fi;
	condemn = false;
	/* New faults: as many as there are and as there is room for, published at once. */
fetch:
	atomic {
		scarce = false;
		p = prod;
		do
		:: fetched < FAULTS && status == CONDEMNED -> answer(fetched); fetched++; due = false
		:: fetched < FAULTS && status == OPEN && p - last < RECORDS && outstanding < SLOTS ->
			do
			:: busy[i] -> i++
			:: else -> break
			od;
			busy[i] = true; fault[i] = fetched; end[i] = p + 1;
			record[p % RECORDS] = TOKEN(i, generation[i], fault[i]);
			p++; fetched++; outstanding++; due = false; i = 0
		:: fetched < FAULTS && status == OPEN && (p - last == RECORDS || outstanding == SLOTS) ->
			scarce = true; break
		:: !due -> break
		od;
		polled = !scarce
	}
	if
	:: status == OPEN && p != prod ->
		if
		:: a_wait -> a_wait = false
		:: else
		fi;
		worked = true;
#ifdef WITHOUT_PUBLISH_FIRST
		ANSWER(b_wait, woken, true);
		prod = p;
#else
		prod = p;
		ANSWER(b_wait, woken, true);
#endif
		/* More may come at once, and be published before the reader is heard. */
		if
		:: w -> ring()
		:: !w
		:: !w && polled && fetched < FAULTS -> due = true; goto fetch
		fi
	:: else
	fi;
	p = 0;
	/* As long as there is something to do, nobody need kick. A clock goes on meanwhile. */
	if
	:: worked && status == OPEN -> worked = false; goto dispatch
	:: worked && status == OPEN && late && outstanding > 0 ->
		atomic { worked = false; late = false; expire = true; first = true; goto dispatch }
	:: else -> worked = false
	fi;
	/*
	 * Ask to be kicked: for room alone too, where room is what is missing. Where nothing was done
	 * since the last time, and no kick was for it, that still holds.
	 */
	if
	:: status == OPEN && (!a_wait || a_scarce != scarce) ->
		atomic { a_wait = true; a_scarce = scarce; kicked = false };
#ifndef WITHOUT_SECOND_LOOK
		if
		:: made != t -> goto dispatch
		:: else
		fi;
		if
		:: scarce && cons != last -> goto dispatch
		:: else
		fi;
#endif
#ifndef WITHOUT_ROOM_FOR_COMPLETIONS
		/* Once, behind the announcement: there is room by now. */
		ANSWER(b_wait, woken, b_scarce);
		ring()
#else
		skip
#endif
	:: else
	fi;
#ifndef WITHOUT_ROOM_FOR_COMPLETIONS
	/* Behind the announcement: there is room by now. */
	if
	:: status == OPEN ->
		ANSWER(b_wait, woken, b_scarce);
		ring()
	:: else
	fi;
#endif
	goto end_poll
	} unless { filler_killed };
	filler_gone = true
}

inline kick_filler()
{
	if
	:: w -> atomic { kick = true; w = false }
	:: else
	fi
}

/* What the reader polls; the end of the socket is told to it by nothing else. */
inline sleep()
{
	if
	:: atomic { bell -> bell = false }
#ifndef WITHOUT_FILLER_HANGUP
	:: filler_gone -> ended = true
#endif
	fi
}

proctype reader()
{
	byte next, done, holding, i;
	bool w, ended;
	byte held[SLOTS];

	{
	do
	:: atomic { holding < SLOTS && prod != next ->
		held[holding] = record[next % RECORDS]; holding++; next++ }
	:: holding == 0 && cons == next && prod == next ->
		/* Sleep. */
#ifdef WITHOUT_ANNOUNCEMENT_FIRST
		if
		:: prod == next && status == OPEN ->
			WAIT(b_wait, woken);
#else
		WAIT(b_wait, woken);
		if
#ifdef WITHOUT_STATE
		:: prod == next ->
#else
		:: prod == next && status == OPEN ->
#endif
#endif
end_sleep:		sleep()
		:: else
		fi;
		b_wait = false
	:: cons != next ->
		cons = next;
#ifndef WITHOUT_ROOM
		ANSWER(a_wait, kicked, a_scarce);
		kick_filler()
#endif
	:: holding > 0 && done - taken == COMPLETIONS ->
		/* Sleep until there is room: what has not been completed can wait for nothing else. */
		atomic { WAIT(b_wait, woken); b_scarce = true };
		if
		:: done - taken == COMPLETIONS && status == OPEN ->
			sleep()
		:: else
		fi;
		atomic { b_wait = false; b_scarce = false }
	:: holding > 0 && done - taken < COMPLETIONS ->
		/* Any of them, in any order. */
		atomic {
			do
			:: i < holding - 1 -> i++
			:: break
			od;
			completion[done % COMPLETIONS] = held[i];
			holding--;
			held[i] = held[holding]; held[holding] = 0;
			done++; i = 0
		}
#ifdef WITHOUT_COMPLETION_FIRST
		ANSWER(a_wait, kicked, true);
		made = done;
#else
		made = done;
		ANSWER(a_wait, kicked, true);
#endif
		kick_filler()
	:: status == CONDEMNED || ended -> break
	od
	} unless { killed };
	atomic { reader_gone = true; hangup = true }
}

#ifdef WITH_DEATH
active proctype killer()
{
	if
	:: killed = true
	:: true
	fi
}
#endif

#ifdef WITH_FILLER_DEATH
active proctype filler_killer()
{
	if
	:: filler_killed = true
	:: true
	fi
}
#endif

init
{
	byte i;

	atomic { run filler(); run reader() };
	/* Nobody can take another step: the end of this run. */
	atomic {
		timeout ->
		do
		:: i < FAULTS -> assert(answered[i] == 1 || filler_gone); i++
		:: else -> break
		od;
		/* A reader that is still there has been told of everything. */
		assert(reader_gone || (!filler_gone && status == OPEN && cons == prod))
	}
}
