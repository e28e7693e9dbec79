package campaign

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStateOfFacts(t *testing.T) {
	t.Parallel()
	both := Part(1) | Part(2)
	tests := []struct {
		name  string
		facts Facts
		want  State
	}{
		{"nothing happened", Facts{}, Pending},
		{"one part of two accepted", Facts{Parts: 2, Accepted: Part(1)}, Pending},
		{"all accepted", Facts{Parts: 2, Accepted: both}, Sent},
		{"waited for the receipt in vain", Facts{Parts: 2, Accepted: both, Flags: FlagWaited}, NoReceipt},
		{"a late receipt after the wait", Facts{Parts: 1, Accepted: Part(1), Delivered: Part(1), Flags: FlagWaited}, Delivered},
		{"one of two delivered", Facts{Parts: 2, Accepted: both, Delivered: Part(1)}, Sent},
		{"all delivered", Facts{Parts: 2, Accepted: both, Delivered: both}, Delivered},
		{"delivered before the response was recorded", Facts{Delivered: Part(1)}, Pending},
		{"one refused", Facts{Parts: 2, Accepted: Part(1), Refused: Part(2)}, Rejected},
		{"failed, then delivered after all", Facts{Parts: 1, Accepted: Part(1), Failed: Part(1), Delivered: Part(1)}, Delivered},
		{"one failed, one delivered", Facts{Parts: 2, Accepted: both, Delivered: Part(1), Failed: Part(2)}, Failed},
		{"expired", Facts{Parts: 1, Accepted: Part(1), Expired: Part(1)}, Expired},
		{"unknown", Facts{Parts: 1, Unknown: Part(1)}, Unknown},
		{"unknown, then a late response", Facts{Parts: 1, Unknown: Part(1), Accepted: Part(1)}, Sent},
		{"unknown, then a receipt", Facts{Parts: 1, Unknown: Part(1), Delivered: Part(1)}, Delivered},
		{"one unknown of two", Facts{Parts: 2, Accepted: Part(1), Unknown: Part(2)}, Unknown},
		{"stopped before it was sent", Facts{Flags: FlagSuppressed}, Suppressed},
		{"stopped after it was sent", Facts{Parts: 1, Accepted: Part(1), Flags: FlagSuppressed}, Sent},
		{"stopped between two parts", Facts{Parts: 2, Accepted: Part(1), Flags: FlagSuppressed}, Suppressed},
		{"cancelled", Facts{Flags: FlagSkipped}, Skipped},
		{"sixteen parts", Facts{Parts: 16, Accepted: 0xFFFF, Delivered: 0xFFFF}, Delivered},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.facts.State(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func drawFacts(t *rapid.T) Facts {
	set := func(name string) PartSet { return PartSet(rapid.Uint16Range(0, 7).Draw(t, name)) }
	return Facts{
		Parts: rapid.Uint8Range(0, 3).Draw(t, "parts"), Flags: Flags(rapid.Uint8Range(0, 7).Draw(t, "flags")),
		Accepted: set("accepted"), Refused: set("refused"), Delivered: set("delivered"),
		Failed: set("failed"), Expired: set("expired"), Unknown: set("unknown"),
	}
}

func TestMergeDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seen := rapid.SliceOfN(rapid.Custom(drawFacts), 1, 6).Draw(t, "facts")
		shuffled := rapid.Permutation(seen).Draw(t, "order")
		var one, other Facts
		for _, f := range seen {
			one.Merge(f)
		}
		for _, f := range append(shuffled, seen[0]) { // and a repetition
			other.Merge(f)
		}
		if one != other || one.State() != other.State() {
			t.Fatalf("%+v (%s) against %+v (%s)", one, one.State(), other, other.State())
		}
	})
}

func TestBlockRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := rapid.SliceOfN(rapid.Custom(drawFacts), 0, 20).Draw(t, "facts")
		got, err := DecodeBlock(EncodeBlock(facts))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(facts, got); diff != "" && len(facts) > 0 {
			t.Fatal(diff)
		}
	})
	if _, err := DecodeBlock(make([]byte, 17)); err == nil {
		t.Error("a torn block was read")
	}
}
