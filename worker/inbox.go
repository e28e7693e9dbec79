package worker

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/audience"
	"pukar/campaign"
	"pukar/internal/auditlog"
	"pukar/internal/config"
	"pukar/internal/logs"
	"pukar/internal/metrics"
	"pukar/internal/pgdb"
	"pukar/smpp"
	"pukar/smpp/coding"
	"pukar/smpp/pdu"
)

const (
	// A centre lets only so many deliveries go unanswered, so a long wait for company would cap its rate;
	// what arrives while a group commits makes the next group large by itself.
	groupTime  = 2 * time.Millisecond
	groupMost  = 1000
	committers = 2 // of receipts
	// Message centres give an unanswered deliver_sm up after 10 s or more; before that it is handed back.
	holdTime = 8 * time.Second
)

// Inbox takes in what message centres and gateways bring: in groups, each committed together with the
// stops that it means, and answered only then.
type Inbox struct {
	Pool    *pgxpool.Pool
	Key     audience.Key
	Memory  *Memory
	Drains  *Drains // how long the routes take, measured by the receipts that the memory knows; may be nil
	Stops   *Stops
	Centres map[string]string // identity of the message centre behind each bind
	Numbers []config.Inbound  // what our own numbers are for
	Log     *slog.Logger
	Metrics *metrics.Metrics

	once     sync.Once
	trouble  logs.Repeated
	receipts chan arrival
	messages chan arrival
}

// arrival is something that came in, and how to answer for it.
type arrival struct {
	campaign.Incoming
	stop   *audience.Suppression // the stop that it means
	start  bool                  // it takes the person's own stops back
	at     time.Time
	delay  time.Duration // receipt: since the acceptance of its part, 0 where that is not remembered
	answer func(err error)
}

// queue is where an arrival waits for its group. What people say is committed in the order in which it
// came, by one committer, so that a stop after a start stays a stop; receipts may overtake each other.
func (b *Inbox) queue(kind string) chan arrival {
	b.once.Do(func() { // a group may gather while the one before it commits
		b.receipts, b.messages = make(chan arrival, groupMost), make(chan arrival, groupMost)
	})
	if kind == "receipt" {
		return b.receipts
	}
	return b.messages
}

// Deliver takes a delivery from a bind. It is acknowledged once it is safe, or handed back.
func (b *Inbox) Deliver(d *smpp.Delivery) {
	a := b.read(d)
	a.answer = func(err error) {
		if err != nil {
			d.Ack(pdu.StatusReceiverTemporary)
			return
		}
		d.Ack(pdu.StatusOK)
	}
	full := time.NewTimer(time.Until(a.at.Add(holdTime)))
	defer full.Stop()
	select {
	case b.queue(a.Kind) <- a:
	case <-full.C:
		d.Ack(pdu.StatusReceiverTemporary)
	}
}

// Received is a message or a missed call that a gateway posts.
type Received struct {
	Kind string // sms | missed_call
	From string // the person's number
	To   string // our number
	Text string
	ID   string // the gateway's id of it, may be empty
}

// ErrReceived says that what a gateway posted cannot be used.
var ErrReceived = errors.New("invalid inbound message")

// Receive takes in what a gateway posts and returns when it is committed. stopped tells that it was
// taken for a stop, which is in force by then.
func (b *Inbox) Receive(ctx context.Context, r Received) (stopped bool, err error) {
	msisdn, err := audience.ParseNumber(r.From)
	if err != nil {
		return false, errors.Join(ErrReceived, err)
	}
	a := arrival{at: time.Now(), Incoming: campaign.Incoming{Kind: r.Kind, Bind: "gateway", ID: r.ID, MSISDN: msisdn, Raw: []byte(r.Text)}}
	a.ID = storable(a.ID)
	switch r.Kind {
	case "sms":
		b.judge(&a, r.To, r.Text)
	case "missed_call":
		a.stop = b.stopOf(&a, r.To, audience.SourceMissedCall, "missed call to "+r.To)
	default:
		return false, errors.Join(ErrReceived, errors.New(`kind: write "sms" or "missed_call"`))
	}
	answered := make(chan error, 1)
	a.answer = func(err error) { answered <- err }
	select {
	case b.queue(a.Kind) <- a:
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	select {
	case err := <-answered:
		return a.stop != nil && err == nil, err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// read makes out what a delivery is: a receipt, or a person's message.
func (b *Inbox) read(d *smpp.Delivery) arrival {
	m := &d.Message
	centre := b.Centres[d.Bind]
	a := arrival{at: d.At, Incoming: campaign.Incoming{Kind: "sms", Centre: centre, Bind: d.Bind, Raw: smpp.Payload(m)}}
	a.MSISDN, _ = audience.ParseNumber(m.Source) // 0: a number that is none of ours
	if a.Raw == nil {
		a.Raw = []byte{} // an empty message, or a receipt of optional parameters only
	}
	receipt, isReceipt := smpp.ParseReceipt(m)
	if !isReceipt {
		text, _, err := coding.Decode(m.DataCoding, m.ESMClass&pdu.ESMUserDataHeader != 0, a.Raw)
		if err != nil {
			b.Log.Warn("an incoming message could not be read in full", "bind", d.Bind, "err", err)
		}
		b.judge(&a, m.Destination, text)
		return a
	}
	a.Kind, a.ID, a.State, a.Err = "receipt", storable(receipt.ID), receipt.Final, storable(receipt.Err)
	for _, reading := range campaign.Readings(centre, receipt.ID) {
		if r, ok := b.Memory.recall(reading.Key, a.MSISDN); ok {
			a.Run, a.Seq, a.Part, a.delay = r.run, r.seq, r.part, r.since(a.at)
			if a.State == "delivered" {
				b.Drains.delivered(r.route, a.delay)
			}
			break
		}
	}
	return a
}

// storable is a text from outside as PostgreSQL can keep it; the octets as they came stand in raw.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// judge looks for a stop or a start in a person's message to one of our numbers.
func (b *Inbox) judge(a *arrival, to, text string) {
	if a.MSISDN == 0 {
		return
	}
	switch audience.MatchKeyword(text) {
	case audience.KeywordStop:
		a.stop = b.stopOf(a, to, audience.SourceKeyword, text)
	case audience.KeywordStart:
		a.start = true
	}
}

// stopOf is the stop of a person, for everything unless the number that she wrote to stands for one purpose.
func (b *Inbox) stopOf(a *arrival, to, source, evidence string) *audience.Suppression {
	purpose := ""
	for _, n := range b.Numbers {
		if n.Number == to {
			purpose = n.Purpose
		}
	}
	return &audience.Suppression{
		MSISDN: a.MSISDN, Key: b.Key.Number(a.MSISDN), Scope: audience.ScopeAll, Purpose: purpose,
		Source: source, Evidence: storable(evidence), Actor: "inbound " + a.Bind, At: a.at,
	}
}

// Run commits arrivals in groups until ctx ends; what waits then is handed back.
func (b *Inbox) Run(ctx context.Context) error {
	receipts, messages := b.queue("receipt"), b.queue("sms")
	var working sync.WaitGroup
	for range committers {
		working.Go(func() { b.work(ctx, receipts) })
	}
	working.Go(func() { b.work(ctx, messages) })
	working.Wait()
	b.handBack(receipts)
	b.handBack(messages)
	return nil
}

func (b *Inbox) work(ctx context.Context, queue chan arrival) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-queue:
			b.take(ctx, b.gather(queue, first))
		}
	}
}

func (b *Inbox) handBack(queue chan arrival) {
	for {
		select {
		case a := <-queue:
			a.answer(context.Canceled)
		default:
			return
		}
	}
}

func (b *Inbox) gather(queue chan arrival, first arrival) []arrival {
	group := append(make([]arrival, 0, 256), first)
	timer := time.NewTimer(groupTime)
	defer timer.Stop()
	for len(group) < groupMost {
		select {
		case a := <-queue:
			group = append(group, a)
		case <-timer.C:
			return group
		}
	}
	return group
}

// take commits a group and answers for it, trying again while the database is away, for as long as the
// centres wait. Stops hold in this process from before the commit on: to hold one back too early harms
// nobody.
func (b *Inbox) take(ctx context.Context, group []arrival) {
	b.hold(group)
	// The first of a group has waited longest. The last moment of its patience is still worth a try.
	work, cancel := context.WithDeadline(context.WithoutCancel(ctx), later(group[0].at.Add(holdTime), time.Now().Add(time.Second)))
	defer cancel()
	var err error
	for {
		if err = b.commit(work, group); err == nil || !pgdb.Unavailable(err) || !pause(work, 200*time.Millisecond) {
			break
		}
	}
	if err != nil && !pgdb.Unavailable(err) && len(group) > 1 {
		// Something in it cannot be stored: the others must not suffer for that.
		b.take(ctx, group[:len(group)/2])
		b.take(ctx, group[len(group)/2:])
		return
	}
	if err != nil {
		b.trouble.Error(b.Log, "what came in could not be stored and is handed back to the centre", err, "messages", len(group))
	}
	b.hold(group) // the commit may have taken longer than a stop is held
	if err == nil {
		// Not in the transaction itself: a stop must not wait for whoever writes to the audit log. If this
		// does not succeed the centre brings the message again, and nothing changes but the log.
		if err = b.audit(work, group); err != nil {
			b.Log.Error("stops are in force, but their audit events could not be written", "err", err)
		}
	}
	if err == nil {
		b.count(group)
		b.trouble.Fine(b.Log)
	}
	for _, a := range group {
		a.answer(err)
	}
}

// audit appends an event for each person of the group who said stop or start.
func (b *Inbox) audit(ctx context.Context, group []arrival) error {
	var events []auditlog.Event
	for _, a := range group {
		e := auditlog.Event{Actor: "inbound " + a.Bind, Subject: "number " + strconv.FormatUint(uint64(b.Key.Number(a.MSISDN)), 16)}
		switch {
		case a.stop != nil:
			e.Action, e.After = "optout.add", map[string]string{"scope": a.stop.Scope, "purpose": a.stop.Purpose, "source": a.stop.Source}
		case a.start:
			e.Action, e.After = "optout.remove", map[string]string{"why": "start word"}
		default:
			continue
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil
	}
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		for _, e := range events {
			if err := auditlog.Append(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hold keeps this process from writing to those of the group who say stop.
func (b *Inbox) hold(group []arrival) {
	for _, a := range group {
		if a.stop != nil {
			b.Stops.Add(a.stop.Key, a.stop.Purpose)
		}
	}
}

// stopsLater reports whether the person says stop in what follows: then her start does not count.
func stopsLater(rest []arrival, msisdn int64) bool {
	for _, a := range rest {
		if a.stop != nil && a.MSISDN == msisdn {
			return true
		}
	}
	return false
}

func (b *Inbox) commit(ctx context.Context, group []arrival) error {
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		incoming := make([]campaign.Incoming, len(group))
		var stops []audience.Suppression
		for i, a := range group {
			incoming[i] = a.Incoming
			if a.stop != nil {
				stops = append(stops, *a.stop)
			}
		}
		if err := campaign.AppendInbox(ctx, tx, incoming, time.Now()); err != nil {
			return err
		}
		if len(stops) > 0 {
			if _, err := audience.Suppress(ctx, tx, stops); err != nil {
				return err
			}
		}
		for i, a := range group {
			if !a.start || stopsLater(group[i:], a.MSISDN) {
				continue
			}
			if _, err := audience.LiftOwn(ctx, tx, b.Key.Number(a.MSISDN), a.at, "start word, "+a.Bind); err != nil {
				return err
			}
		}
		return nil
	})
}
