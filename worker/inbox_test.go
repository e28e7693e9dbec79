package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/config"
	"pukar/internal/testenv"
	"pukar/smpp"
	"pukar/smpp/pdu"
)

const person = 919800000001

// newInbox is an inbox on a database of its own.
func newInbox(t *testing.T) *Inbox {
	t.Helper()
	b := newReader(t)
	b.Pool = testenv.DB(t)
	return b
}

// newReader is an inbox that can store nothing, with the number 56161 for everything and 56162 for camps.
func newReader(t *testing.T) *Inbox {
	t.Helper()
	key, err := audience.NewKey([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return &Inbox{
		Key: key, Memory: NewMemory(), Stops: NewStops(), Log: testenv.Logger(t),
		Centres: map[string]string{"main-1": "centre"}, Numbers: []config.Inbound{{Number: "56162", Purpose: "camps"}},
	}
}

// text is a message from the person to one of our numbers.
func text(to, words string, at time.Time) *smpp.Delivery {
	return &smpp.Delivery{Bind: "main-1", At: at, Message: pdu.DeliverSM{Source: fmt.Sprint(person), Destination: to, ShortMessage: []byte(words)}}
}

func TestReadDelivery(t *testing.T) {
	t.Parallel()
	b := newReader(t)
	now := time.Now()
	b.Memory.remember(campaign.MessageKey("centre", "1a2b"), remembered{msisdn: person, run: 5, seq: 6, part: 2})
	receipt := func(id, source string) *smpp.Delivery {
		return &smpp.Delivery{Bind: "main-1", At: now, Message: pdu.DeliverSM{
			Source: source, Destination: "HELPLN", ESMClass: 0x04,
			ShortMessage: []byte("id:" + id + " sub:001 dlvrd:001 submit date:2611220930 done date:2611220931 stat:DELIVRD err:000 text:Dear"),
		}}
	}
	named := func(run, seq int32, part int16) campaign.Incoming {
		return campaign.Incoming{Kind: "receipt", Centre: "centre", Bind: "main-1", MSISDN: person, State: "delivered", Err: "000", Run: run, Seq: seq, Part: part}
	}
	tests := []struct {
		name     string
		delivery *smpp.Delivery
		want     campaign.Incoming
	}{
		{"a receipt that is remembered", receipt("1A2B", "919800000001"), named(5, 6, 2)},
		{"whatever base its id is in", receipt("6699", "+919800000001"), named(5, 6, 2)},
		{"a receipt that is not remembered", receipt("ffff", "919800000001"), named(0, 0, 0)},
		{"another number is not hers", receipt("1A2B", "919800000002"), func() campaign.Incoming { in := named(0, 0, 0); in.MSISDN = 919800000002; return in }()},
		{"a text", text("56161", "kya haal", now), campaign.Incoming{Kind: "sms", Centre: "centre", Bind: "main-1", MSISDN: person}},
		{"from a number that is none of ours", &smpp.Delivery{Bind: "main-1", At: now, Message: pdu.DeliverSM{Source: "BANK", ShortMessage: []byte("STOP")}},
			campaign.Incoming{Kind: "sms", Centre: "centre", Bind: "main-1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := b.read(test.delivery)
			if string(a.Raw) != string(test.delivery.Message.ShortMessage) || !a.at.Equal(now) || a.stop != nil || a.start {
				t.Errorf("read %+v", a)
			}
			a.Raw, a.ID = nil, ""
			if diff := cmp.Diff(test.want, a.Incoming); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadStops(t *testing.T) {
	t.Parallel()
	b := newReader(t)
	now := time.Now()
	for _, test := range []struct {
		to, words string
		stop      bool
		purpose   string
		start     bool
	}{
		{"56161", "STOP", true, "", false}, {"56161", " stop. ", true, "", false}, {"56162", "Stop", true, "camps", false},
		{"56161", "START", false, "", true}, {"56161", "bus stop", false, "", false}, {"56161", "", false, "", false},
	} {
		a := b.read(text(test.to, test.words, now))
		if (a.stop != nil) != test.stop || a.start != test.start {
			t.Errorf("%q to %s is read as stop %v, start %v", test.words, test.to, a.stop != nil, a.start)
			continue
		}
		if a.stop == nil {
			continue
		}
		want := audience.Suppression{
			MSISDN: person, Key: b.Key.Number(person), Scope: audience.ScopeAll, Purpose: test.purpose,
			Source: audience.SourceKeyword, Evidence: test.words, Actor: "inbound main-1", At: now,
		}
		if diff := cmp.Diff(want, *a.stop); diff != "" {
			t.Error(diff)
		}
	}
}

// TestGroupCommit holds what stands in the end to what the person said last, in one group and over several.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		groups []string // words with blanks between them
		stays  bool
	}{
		{"stop", []string{"STOP"}, true},
		{"stop and start together", []string{"STOP START"}, false},
		{"start and stop together", []string{"START STOP"}, true},
		{"stop, start and stop together", []string{"STOP START STOP"}, true},
		{"start, stop and start together", []string{"START STOP START"}, false},
		{"stop, then start", []string{"STOP", "START"}, false},
		{"start, then stop", []string{"START", "STOP"}, true},
		{"twice the same", []string{"STOP STOP", "STOP"}, true},
		{"stop, start, stop one after the other", []string{"STOP", "START", "STOP"}, true},
	}
	b := newInbox(t)
	at := time.Now().Add(-time.Hour)
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			number := int64(person + 100 + i)
			said := 0
			for _, group := range test.groups {
				var arrivals []arrival
				var answers []error
				for word := range strings.FieldsSeq(group) {
					at = at.Add(time.Second)
					d := text("56161", word, at)
					d.Message.Source = fmt.Sprint(number)
					a := b.read(d)
					a.answer = func(err error) { answers = append(answers, err) }
					arrivals = append(arrivals, a)
					said++
				}
				b.take(t.Context(), arrivals)
				if len(answers) != len(arrivals) || errors.Join(answers...) != nil {
					t.Fatalf("%d were answered: %v", len(answers), answers)
				}
			}
			stops, err := audience.CheckSuppressed(t.Context(), b.Pool, b.Key.Number(number))
			if err != nil || (len(stops) > 0) != test.stays {
				t.Errorf("in force is %+v (%v), want one: %v", stops, err, test.stays)
			}
			if test.stays && !b.Stops.Has(b.Key.Number(number), "anything", time.Now()) {
				t.Error("this process would still write to her")
			}
			var stored int
			if err := b.Pool.QueryRow(t.Context(), `SELECT count(*) FROM inbox WHERE msisdn = $1 AND kind = 'sms'`, number).Scan(&stored); err != nil || stored != said {
				t.Errorf("%d messages are stored (%v), want %d", stored, err, said)
			}
		})
	}
}

func TestOneOddMessageSpoilsNobodyElses(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	var group []arrival
	answers := make([]error, 5)
	for i := range answers {
		a := b.read(text("56161", "STOP", time.Now()))
		a.MSISDN = int64(person + i)
		stop := *a.stop
		stop.MSISDN, stop.Key = a.MSISDN, b.Key.Number(a.MSISDN)
		a.stop = &stop
		if i == 3 {
			a.Kind = "none that the table knows"
		}
		a.answer = func(err error) { answers[i] = err }
		group = append(group, a)
	}
	b.take(t.Context(), group)
	for i, err := range answers {
		if (err != nil) != (i == 3) {
			t.Errorf("message %d was answered with %v", i, err)
		}
		stops, checkErr := audience.CheckSuppressed(t.Context(), b.Pool, b.Key.Number(int64(person+i)))
		if checkErr != nil || (len(stops) == 0) != (i == 3) {
			t.Errorf("of person %d stand %d stops (%v)", i, len(stops), checkErr)
		}
	}
}

// TestNothingIsAcknowledgedThatIsNotStored takes the database away.
func TestNothingIsAcknowledgedThatIsNotStored(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.Pool.Close()
	a := b.read(text("56161", "STOP", time.Now().Add(-2*holdTime))) // it has waited long enough
	answered := make(chan error, 1)
	a.answer = func(err error) { answered <- err }
	b.take(t.Context(), []arrival{a})
	if err := <-answered; err == nil {
		t.Error("it was acknowledged and is nowhere")
	}
	if !b.Stops.Has(a.stop.Key, "", time.Now()) {
		t.Error("to hold back too early harms nobody, and was not done")
	}
}

func TestReceive(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct {
		received Received
		stopped  bool
		purposes []string // of the stops in force afterwards
	}{
		{Received{Kind: "sms", From: "+91 98000 00001", To: "56161", Text: "hello"}, false, nil},
		{Received{Kind: "sms", From: "9800000001", To: "56162", Text: "stop"}, true, []string{"camps"}},
		{Received{Kind: "missed_call", From: "9800000001", To: "18001234567"}, true, []string{"", "camps"}},
		{Received{Kind: "sms", From: "9800000001", To: "56161", Text: "start", ID: "bad \x00 id \xff"}, false, nil},
	} {
		stopped, err := b.Receive(ctx, test.received)
		if err != nil || stopped != test.stopped {
			t.Errorf("%+v: stopped %v, %v", test.received, stopped, err)
		}
		list, err := audience.CheckSuppressed(ctx, b.Pool, b.Key.Number(person))
		if err != nil {
			t.Fatal(err)
		}
		var purposes []string
		for _, s := range list {
			purposes = append(purposes, s.Purpose)
		}
		if slices.Sort(purposes); !slices.Equal(purposes, test.purposes) {
			t.Errorf("after %+v she is stopped for %q, want %q", test.received, purposes, test.purposes)
		}
	}
	for _, bad := range []Received{{Kind: "sms", From: "12"}, {Kind: "fax", From: "9800000001"}} {
		if _, err := b.Receive(ctx, bad); !errors.Is(err, ErrReceived) {
			t.Errorf("%+v: %v, want ErrReceived", bad, err)
		}
	}
	var kinds []string
	rows, err := b.Pool.Query(ctx, `SELECT kind || ' ' || bind || ' ' || (at = (SELECT at FROM inbox_chunk WHERE id = chunk)) FROM inbox ORDER BY chunk, line`)
	if err != nil {
		t.Fatal(err)
	}
	if kinds, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || !slices.Equal(kinds, []string{"sms gateway true", "sms gateway true", "missed_call gateway true", "sms gateway true"}) {
		t.Errorf("stored are %q, %v", kinds, err)
	}
}

// TestWhatWaitsIsHandedBack ends an inbox while its queues are full.
func TestWhatWaitsIsHandedBack(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	ended, end := context.WithCancel(t.Context())
	end()
	const waiting = 40
	var answers []error
	for i := range waiting {
		kind := []string{"sms", "receipt"}[i%2]
		b.queue(kind) <- arrival{Incoming: campaign.Incoming{Kind: kind, Raw: []byte{}}, at: time.Now(), answer: func(err error) {
			b.Stops.mu.Lock() // committers may answer at once
			defer b.Stops.mu.Unlock()
			answers = append(answers, err)
		}}
	}
	if err := b.Run(ended); err != nil {
		t.Fatal(err)
	}
	if len(answers) != waiting {
		t.Errorf("%d of %d were answered", len(answers), waiting)
	}
}
