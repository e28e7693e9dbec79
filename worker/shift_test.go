package worker

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pukar/campaign"
	"pukar/internal/throttle"
	"pukar/smpp/pdu"
)

// lettersOf makes letters of so many parts each.
func lettersOf(parts ...int) []letter {
	letters := make([]letter, len(parts))
	for i, n := range parts {
		letters[i] = letter{seq: int32(i) + 1, msisdn: 919800000000 + int64(i), key: int64(i) * 7, parts: make([]pdu.SubmitSM, n)}
	}
	return letters
}

func TestTakeWhole(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]int{1}, 2*strideParts)
	tests := []struct {
		name     string
		parts    []int
		most     int
		n, total int
	}{
		{"nothing there", nil, 10, 0, 0},
		{"all fit", []int{1, 2, 3}, 10, 3, 6},
		{"exactly", []int{1, 2, 3}, 6, 3, 6},
		{"a message is not torn", []int{1, 2, 3}, 5, 2, 3},
		{"the first goes whatever its size", []int{5, 1}, 2, 1, 5},
		{"what cannot be rendered takes no room", []int{0, 1, 0, 0, 1}, 1, 4, 1},
		{"only what cannot be rendered", []int{0, 0}, 1, 2, 0},
		{"no more than a stride holds", many, 10 * strideParts, strideParts, strideParts},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n, total := (*shift)(nil).takeWhole(lettersOf(test.parts...), test.most)
			if n != test.n || total != test.total {
				t.Errorf("took %d letters of %d parts, want %d of %d", n, total, test.n, test.total)
			}
		})
	}
}

func TestTakeWholeTakesAllThatFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.IntRange(0, 16), 1, 30).Draw(t, "parts")
		most := rapid.IntRange(1, 60).Draw(t, "most")
		n, total := (*shift)(nil).takeWhole(lettersOf(parts...), most)
		sum := 0
		for _, p := range parts[:n] {
			sum += p
		}
		if n < 1 || sum != total || (n > 1 && total > most) {
			t.Fatalf("took %d of %v with %d parts, at most %d", n, parts, total, most)
		}
		if n < len(parts) && total+parts[n] <= most {
			t.Fatalf("left %v behind although they fit", parts[n:])
		}
	})
}

func TestRedoIsCutBetweenMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		seqs []int32
		at   int
		want int
	}{
		{"between two messages", []int32{1, 1, 2, 2}, 2, 2},
		{"inside the second", []int32{1, 1, 2, 2}, 3, 2},
		{"inside the only one", []int32{1, 1, 1}, 2, 2},
		{"at the end, where more may follow", []int32{1, 2, 2}, 3, 1},
		{"at the end of the only one", []int32{2, 2}, 2, 2},
		{"single parts", []int32{1, 2, 3}, 2, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			due := make([]campaign.RedoPart, len(test.seqs))
			for i, seq := range test.seqs {
				due[i].Seq = seq
			}
			if got := withoutCut(due, test.at); len(got) != test.want {
				t.Errorf("%d parts are left, want %d", len(got), test.want)
			}
		})
	}
	due := make([]campaign.RedoPart, 3)
	due[0].Seq, due[1].Seq, due[2].Seq = 1, 1, 2
	if sizes := messages(due); !slices.Equal(sizes, []byte{2, 1}) {
		t.Errorf("the messages have %v parts, want 2 and 1", sizes)
	}
}

func TestLoadLeavesOutWhoSaidStop(t *testing.T) {
	t.Parallel()
	var l load
	for _, letter := range lettersOf(1, 2, 1) {
		for part := range letter.parts {
			l.add(letter, part, 3, []int32{1, 9})
		}
	}
	if len(l.parts) != 3 || len(l.keys) != 3 || len(l.numbers) != 3 {
		t.Fatalf("%d parts, want the three of 2 and 3", len(l.parts))
	}
	want := []campaign.PartResult{{Seq: 2, Part: 1, Parts: 2, Tries: 3}, {Seq: 2, Part: 2, Parts: 2, Tries: 3}, {Seq: 3, Part: 1, Parts: 1, Tries: 3}}
	if !slices.Equal(l.results, want) {
		t.Errorf("results are prepared as %+v, want %+v", l.results, want)
	}
	if l.numbers[2] != 919800000002 || l.keys[2] != 14 {
		t.Errorf("the last part goes to %d with key %d", l.numbers[2], l.keys[2])
	}
}

// TestBeyond holds the time that a stride gets beyond the usual to strides of one slow message.
func TestBeyond(t *testing.T) {
	t.Parallel()
	near := throttle.Slots{Granted: 50, First: time.Now(), Interval: 10 * time.Millisecond}
	if got := beyond(near, 0); got != 0 {
		t.Errorf("a stride of half a second gets %s more", got)
	}
	slow := throttle.Slots{Granted: 3, First: time.Now(), Interval: 2 * time.Second}
	if got := beyond(slow, 0); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("a message whose last slot is in four seconds gets %s more", got)
	}
	slow.Interval = time.Millisecond
	if got := beyond(slow, 2*time.Second); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("a message whose bind takes four seconds for it gets %s more", got)
	}
}

// TestWorthwhile holds what a stride waits for to whole messages, half of what it wants, and what its limits give at a time.
func TestWorthwhile(t *testing.T) {
	t.Parallel()
	campaign := []throttle.Limit{{Name: "route", PartsPerSecond: 300}, {Name: "campaign:1", PartsPerSecond: 20, Burst: 5}}
	tests := []struct {
		name   string
		limits []throttle.Limit
		sizes  []byte
		want   int
	}{
		{"half", campaign[:1], []byte{1, 1, 1, 1}, 2},
		{"not a part of a message", campaign[:1], []byte{2, 2, 2}, 2},
		{"the first message whatever its size", campaign[:1], []byte{0, 9, 1}, 9},
		{"the only one", campaign[:1], []byte{1}, 1},
		{"what the campaign gives at a time", campaign, []byte{1, 1, 1, 1, 1, 1, 1, 1, 1}, 2},
		{"or one message", campaign, []byte{3, 3, 3, 3}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := ask{limits: test.limits, spacing: test.limits[0], sizes: test.sizes}
			if got := a.worthwhile(test.sizes); got != test.want {
				t.Errorf("it waits for %d parts, want %d", got, test.want)
			}
		})
	}
}

// TestNothingOfAMessageLeavesAfterItExpired takes a message whose hint comes out of the queue late: nobody had cancelled it yet.
func TestNothingOfAMessageLeavesAfterItExpired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, campaign.India)
	w := &shift{
		Sender: &Sender{Runs: &Runs{}}, window: campaign.LegalWindow("promotional"),
		post: &postmaster{run: &campaign.Run{Kind: campaign.KindMessage, ExpiresAt: now.Add(time.Minute)}, route: &Route{}},
	}
	closes, open := w.closing(now)
	if !open || !closes.submissions.Equal(now.Add(time.Minute)) || !closes.handsets.After(now.Add(time.Hour)) {
		t.Errorf("a minute before: %v, %+v", open, closes)
	}
	for _, late := range []time.Duration{time.Minute, time.Hour} {
		if _, open := w.closing(now.Add(late)); open {
			t.Errorf("it may still leave after %v", late)
		}
	}
	w.post.run.ExpiresAt = now.Add(48 * time.Hour)
	if closes, open = w.closing(now); !open || !closes.submissions.Before(now.Add(9*time.Hour)) {
		t.Errorf("the window does not close before it expires: %v, %+v", open, closes)
	}
}
