package campaign

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// The waits of every answer that a part can get, one after another; forever is an answer that never ends.
func TestEveryAnswerHasItsWaitsAndItsEnd(t *testing.T) {
	t.Parallel()
	const forever = true
	seconds := func(list ...int) (waits []time.Duration) {
		for _, s := range list {
			waits = append(waits, time.Duration(s)*time.Second)
		}
		return waits
	}
	tests := []struct {
		name      string
		onUnknown string
		result    Result
		status    uint32
		waits     []time.Duration
		forever   bool
		stands    Facts // once there are no more waits
	}{
		{"accepted", "hold", Accepted, 0, nil, !forever, Facts{Accepted: Part(2)}},
		{"refused", "hold", Refused, 0x0B, nil, !forever, Facts{Refused: Part(2)}},
		{"not sent", "hold", NotSent, 0, seconds(0), forever, Facts{}},
		{"throttled", "hold", Throttled, 0x58, seconds(1), forever, Facts{}},
		{"system error", "hold", Transient, 0x08, seconds(5, 30, 180), !forever, Facts{Refused: Part(2)}},
		{"unknown error", "hold", Transient, 0xFF, seconds(5, 30, 180), !forever, Facts{Refused: Part(2)}},
		{"bind lost at the centre", "hold", Transient, 0x04, seconds(5, 30, 180), !forever, Facts{Refused: Part(2)}},
		{"service unavailable", "hold", Transient, 0x102, seconds(5, 30, 180), !forever, Facts{Refused: Part(2)}},
		{"queue full", "hold", Transient, 0x14, seconds(60, 180, 600, 1800), !forever, Facts{Refused: Part(2)}},
		{"submit failed", "hold", Transient, 0x45, seconds(10, 60, 300), !forever, Facts{Refused: Part(2)}},
		{"receiver temporary", "hold", Transient, 0x64, seconds(30, 180, 900), !forever, Facts{Refused: Part(2)}},
		{"receiver rejects", "hold", Transient, 0x66, seconds(30, 180, 900), !forever, Facts{Refused: Part(2)}},
		{"delivery failure", "hold", Transient, 0xFE, seconds(30, 180, 900), !forever, Facts{Refused: Part(2)}},
		{"in doubt, held", "hold", InDoubt, 0, nil, !forever, Facts{Unknown: Part(2)}},
		{"in doubt, sent again", "resend", InDoubt, 0, seconds(5, 30, 180), !forever, Facts{Unknown: Part(2)}},
		{"refused under resend", "resend", Refused, 0x0B, nil, !forever, Facts{Refused: Part(2)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rule := RedoRule{OnUnknown: test.onUnknown}
			test.stands.Parts = 3
			for tries := range int16(12) {
				r := PartResult{Seq: 1, Part: 2, Parts: 3, Tries: tries, Result: test.result, Status: test.status}
				wait, after, again := rule.next(r)
				switch {
				case test.forever:
					if wait != test.waits[0] || after != tries || !again {
						t.Errorf("after %d tries: %s, %d, %t; it is no attempt and never ends", tries, wait, after, again)
					}
				case int(tries) < len(test.waits):
					if wait != test.waits[tries] || after != tries+1 || !again {
						t.Errorf("after %d tries: %s, %d, %t; want %s and one try more", tries, wait, after, again, test.waits[tries])
					}
				case again:
					t.Errorf("after %d tries it is tried again", tries)
				}
				// Facts and what follows agree: there is a fact exactly when nothing follows.
				want := Facts{Parts: 3}
				if !again {
					want = test.stands
				}
				if got := rule.facts(r); got != want {
					t.Errorf("after %d tries the facts are %+v, want %+v", tries, got, want)
				}
			}
		})
	}
}

func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	for class, p := range redoPatience {
		t.Run(fmt.Sprint(class), func(t *testing.T) {
			t.Parallel()
			if !slices.IsSorted(p.waits) || len(slices.Compact(slices.Clone(p.waits))) != len(p.waits) {
				t.Errorf("the waits %v do not grow", p.waits)
			}
			if p.free && len(p.waits) != 1 {
				t.Errorf("what is no attempt has the waits %v, want one", p.waits)
			}
		})
	}
	longest := func(a answer) time.Duration { return slices.Max(redoPatience[a].waits) }
	if longest(queueFull) <= longest(systemError) || len(redoPatience[queueFull].waits) <= len(redoPatience[systemError].waits) {
		t.Error("a full queue is not waited for longer than a system error")
	}
}

// A part whose answers change counts all its attempts.
func TestAnswersThatChangeDoNotBeginAnew(t *testing.T) {
	t.Parallel()
	rule := RedoRule{OnUnknown: "hold"}
	r := PartResult{Part: 1, Parts: 1, Result: Transient}
	var total []time.Duration
	for _, status := range []uint32{0x08, 0x14, 0x64, 0x14, 0x08} {
		r.Status = status
		wait, tries, again := rule.next(r)
		if !again {
			break
		}
		r.Tries = tries
		total = append(total, wait)
	}
	want := []time.Duration{5 * time.Second, 3 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	if !slices.Equal(total, want) {
		t.Errorf("the waits are %v, want %v", total, want)
	}
	if facts := rule.facts(r); facts.State() != Rejected {
		t.Errorf("in the end it is %s", facts.State())
	}
}
