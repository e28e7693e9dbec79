package worker

import (
	"context"
	"time"

	"pukar/campaign"
	"pukar/internal/queue"
	"pukar/smpp"
)

// awayRest is how long a message rests whose route is away. Handlers wait for the bind of a campaign, but
// thousands of messages to one dead route must not keep the urgent ones of another waiting.
const awayRest = 5 * time.Second

// BeginMessage works on a message that was just taken in, at once in this process where it has room for that,
// and hands its hint to the queue otherwise. It returns without waiting for that work.
func (s *Sender) BeginMessage(ctx context.Context, hint campaign.RunHint) error {
	if s.begun.Add(1) > beginAtOnce || s.stopping.Load() {
		s.begun.Add(-1)
		return s.Hinter.GiveHint(ctx, hint)
	}
	s.workAside(ctx, queue.Hint{Run: hint.Run, Batch: hint.Batch, No: hint.No})
	return nil
}

func (j *job) isMessage() bool { return j.run.Kind == campaign.KindMessage }

// isMessage says whether a run is a single message; one that cannot be read is taken for none.
func (s *Sender) isMessage(ctx context.Context, run int32) bool {
	job, err := s.Runs.get(ctx, run)
	return err == nil && job.isMessage()
}

// canSend reports whether any bind of the route is up. One that pauses after throttling is.
func canSend(route *Route) bool {
	for _, bind := range route.SMPP.Binds() {
		if status := bind.Status(); status.State == smpp.Bound && status.Type != smpp.TypeReceiver {
			return true
		}
	}
	return false
}
