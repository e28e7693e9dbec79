package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"pukar/campaign"
	"pukar/smpp"
	"pukar/smpp/coding"
)

// shift is one handler's turn at a batch. Its method work owns it; the strides that it sent off only
// touch what is marked so.
type shift struct {
	*Sender
	post   *postmaster
	lease  *campaign.Lease
	window campaign.Window

	ready   []letter       // rendered, in order of seq, not yet in a stride
	readTo  int32          // the last seq that was read
	afford  int            // parts that the budget has left, as it was found; 0 while it is enough
	strides sync.WaitGroup // sent off and not recorded
}

func newShift(s *Sender, post *postmaster, lease *campaign.Lease, window campaign.Window) *shift {
	return &shift{Sender: s, post: post, lease: lease, window: window, readTo: lease.SentUpto}
}

// errIdle ends a shift early: nothing to do now, or no way to do it.
var errIdle = errors.New("nothing to do")

// idleRest is how long a batch is left alone on which nothing could be done.
const idleRest = 2 * time.Second

// work opens strides until the shift is over and answers how long the batch should rest then.
func (w *shift) work(ctx context.Context, until time.Time) (rest time.Duration, err error) {
	// The lease is renewed beside the strides, so that a slow centre does not lose it; losing it ends the shift.
	open, lost := context.WithCancel(ctx)
	defer lost()
	renewals := make(chan struct{})
	go func() {
		defer close(renewals)
		for pause(open, renewEvery) {
			if err := w.Ledger.Renew(open, w.lease); errors.Is(err, campaign.ErrFenced) {
				lost()
			}
		}
	}()
	defer func() {
		w.strides.Wait() // renewing all the while
		lost()
		<-renewals
	}()
	for time.Now().Before(until) && open.Err() == nil && !w.stopping.Load() {
		if _, inWindow := w.closing(time.Now()); !inWindow {
			return idleRest, nil
		}
		err := w.redo(open)
		if errors.Is(err, errIdle) {
			err = w.first(open)
		}
		switch {
		case errors.Is(err, errIdle):
			return idleRest, nil
		case errors.Is(err, campaign.ErrFenced), open.Err() != nil:
			return 0, nil
		case err != nil:
			return idleRest, err
		}
	}
	return 0, nil
}

// first opens a stride over the next recipients of the batch and sends it off.
func (w *shift) first(ctx context.Context) error {
	if err := w.fill(ctx); err != nil {
		return err
	}
	if len(w.ready) == 0 {
		return errIdle
	}
	place, err := w.place(ctx, w.pick, w.sizes)
	if err != nil {
		return err
	}
	n, parts := w.takeWhole(w.ready, place.Granted)
	letters := w.ready[:n]
	stride := &campaign.Stride{
		Run: w.lease.Run, Batch: w.lease.Batch, Kind: "first", Lo: letters[0].seq, Hi: letters[n-1].seq,
		PartCounts: make([]byte, n), Parts: parts, Route: w.post.route.Config.Name, Budgeted: w.post.run.Spec.BudgetINR > 0,
		Bind: place.bind.Name(), Centre: w.post.route.Config.Centre, Closes: place.submissions, Ends: place.handsets, Cap: w.post.run.Cap(), Root: w.post.run.Root,
	}
	var skips []campaign.Skip
	for i, l := range letters {
		stride.PartCounts[i] = byte(len(l.parts))
		if l.skip != "" {
			skips = append(skips, campaign.Skip{Seq: l.seq, Reason: "render", Detail: l.skip})
		}
	}
	stopped, err := w.Ledger.OpenFirst(ctx, w.lease, stride, w.post.run.Spec.Purpose, skips, place.pace)
	if err != nil {
		place.release()
		return w.notOpened(ctx, stride, err, stride.PartCounts)
	}
	w.ready = w.ready[n:]
	var load load
	for _, l := range letters {
		for i := range l.parts {
			load.add(l, i, 0, stopped)
		}
	}
	w.sendOff(ctx, place, stride, load)
	return nil
}

// sizes are the parts of each letter that could go by a bind in one stride.
func (w *shift) sizes(bind *smpp.Bind) []byte {
	n, _ := w.takeWhole(w.ready, w.mostParts(bind))
	sizes := make([]byte, n)
	for i, l := range w.ready[:n] {
		sizes[i] = byte(len(l.parts))
	}
	return sizes
}

// redo opens a stride over parts that are due again, those of one bind together.
func (w *shift) redo(ctx context.Context) error {
	limit := max(w.post.route.most, coding.MaxParts)
	due, err := w.Ledger.ReadRedo(ctx, w.lease, w.post.route.away(), limit)
	if err != nil {
		return err
	}
	if len(due) == 0 {
		return errIdle
	}
	if len(due) == limit {
		due = withoutCut(due, len(due))
	}
	n := 1
	for n < len(due) && due[n].Bind == due[0].Bind {
		n++
	}
	return w.redoOn(ctx, due[:n])
}

// pickFor answers the bind that the parts wait for, or another where they are free to go by any, or their own is gone from the
// configuration, or has been away for too long.
func (w *shift) pickFor(due []campaign.RedoPart) func(context.Context) (*smpp.Bind, error) {
	return func(ctx context.Context) (*smpp.Bind, error) {
		if bind, ok := w.post.route.SMPP.Bind(due[0].Bind); ok && usable(bind) {
			return bind, nil
		}
		return w.pick(ctx)
	}
}

// withoutCut drops the parts of the message that a cut at n would tear, unless it is the only one: parts
// of a message go by one bind.
func withoutCut(due []campaign.RedoPart, n int) []campaign.RedoPart {
	if n == len(due) || due[n].Seq == due[n-1].Seq {
		seq := due[n-1].Seq
		whole := n
		for whole > 0 && due[whole-1].Seq == seq {
			whole--
		}
		if whole > 0 {
			return due[:whole]
		}
	}
	return due[:n]
}

// messages counts the parts of each message.
func messages(due []campaign.RedoPart) (sizes []byte) {
	var seq int32 // they count from 1
	for i := range due {
		if due[i].Seq != seq {
			sizes, seq = append(sizes, 0), due[i].Seq
		}
		sizes[len(sizes)-1]++
	}
	return sizes
}

func (w *shift) redoOn(ctx context.Context, due []campaign.RedoPart) error {
	place, err := w.place(ctx, w.pickFor(due), func(bind *smpp.Bind) []byte {
		sizes := messages(due)
		return fitting(sizes, max(int(sizes[0]), w.mostParts(bind)))
	})
	if err != nil {
		return err
	}
	due = due[:place.Granted]
	stride := &campaign.Stride{
		Run: w.lease.Run, Batch: w.lease.Batch, Kind: "redo", Lo: due[0].Seq, Hi: due[0].Seq, Redo: due,
		PartCounts: make([]byte, len(due)), Parts: len(due), Route: w.post.route.Config.Name, Budgeted: w.post.run.Spec.BudgetINR > 0,
		Bind: place.bind.Name(), Centre: w.post.route.Config.Centre, Closes: place.submissions, Ends: place.handsets, Cap: w.post.run.Cap(), Root: w.post.run.Root,
	}
	letters := make([]letter, len(due))
	var skips []campaign.Skip
	for i := range due {
		stride.Lo, stride.Hi = min(stride.Lo, due[i].Seq), max(stride.Hi, due[i].Seq)
		letters[i] = w.post.write(&due[i].Recipient)
		stride.PartCounts[i] = byte(len(letters[i].parts))
		if letters[i].skip != "" {
			skips = append(skips, campaign.Skip{Seq: due[i].Seq, Reason: "render", Detail: letters[i].skip})
		}
	}
	stopped, err := w.Ledger.OpenRedo(ctx, w.lease, stride, w.post.run.Spec.Purpose, skips, place.pace)
	if err != nil {
		place.release()
		return w.notOpened(ctx, stride, err, messages(due))
	}
	var load load
	for i, l := range letters {
		if l.skip == "" {
			load.add(l, int(due[i].Part)-1, due[i].Tries, stopped)
		}
	}
	w.sendOff(ctx, place, stride, load)
	return nil
}

// fill keeps letters ready, so that rendering goes on while strides are on the wire.
func (w *shift) fill(ctx context.Context) error {
	if len(w.ready) >= strideParts || w.readTo >= w.lease.Hi {
		return nil
	}
	recipients, err := w.Ledger.ReadAhead(ctx, w.lease, w.readTo, readAhead)
	if err != nil {
		return err
	}
	ready := make([]letter, 0, len(w.ready)+len(recipients))
	ready = append(ready, w.ready...)
	for i := range recipients {
		ready = append(ready, w.post.write(&recipients[i]))
		w.readTo = recipients[i].Seq
	}
	w.ready = ready
	return nil
}

// takeWhole counts the letters from the front that have at most the given number of parts together. The
// first always goes, because its parts stay together.
func (w *shift) takeWhole(letters []letter, most int) (n, parts int) {
	for n < len(letters) && n < strideParts && (n == 0 || parts+len(letters[n].parts) <= most) {
		parts += len(letters[n].parts)
		n++
	}
	return n, parts
}

// abandon settles whether a stride whose opening failed was opened after all.
func (w *shift) abandon(ctx context.Context, stride *campaign.Stride, cause error) error {
	if errors.Is(cause, campaign.ErrFenced) {
		return cause
	}
	check, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return errors.Join(cause, w.Ledger.Abandon(check, w.lease, stride, campaign.RedoRule{OnUnknown: w.post.run.OnUnknown}))
}
