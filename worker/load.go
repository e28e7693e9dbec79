package worker

import (
	"context"
	"sync"
	"time"

	"pukar/campaign"
	"pukar/smpp"
)

// load is what a stride puts on the wire, with a result for each part.
type load struct {
	parts   []smpp.Part
	keys    []int64
	numbers []int64
	results []campaign.PartResult
}

func (b *load) add(l letter, part int, tries int16, stopped []int32) {
	for _, seq := range stopped {
		if seq == l.seq {
			return
		}
	}
	b.parts = append(b.parts, smpp.Part{Message: l.parts[part]})
	b.keys = append(b.keys, l.key)
	b.numbers = append(b.numbers, l.msisdn)
	b.results = append(b.results, campaign.PartResult{Seq: l.seq, Part: int16(part + 1), Parts: int16(len(l.parts)), Tries: tries})
}

// sendOff hands a stride to its bind and records it when every part has its result. The shift goes on
// with the next stride meanwhile; room on the route bounds how far.
func (w *shift) sendOff(ctx context.Context, place *place, stride *campaign.Stride, load load) {
	// Worked out for each stride, a redo included: what stood in an earlier submit has shrunk since.
	valid := validity(w.post.route.Config.Validity, stride.Ends, stride.SendBy)
	for i := range load.parts {
		load.parts[i].Message.ValidityPeriod = valid
		if place.Interval > 0 {
			load.parts[i].NotBefore = place.At(i)
		}
	}
	w.Metrics.Opened(stride.Route)
	w.strides.Go(func() {
		defer w.Metrics.Recorded(stride.Route)
		defer place.release()
		w.deliver(ctx, place.bind, stride, load)
		w.Breaker.Responses(context.WithoutCancel(ctx), stride, load.results)
		record, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		defer cancel()
		rule := campaign.RedoRule{OnUnknown: w.post.run.OnUnknown}
		if err := w.Ledger.Record(record, stride, load.results, rule); err != nil {
			w.Log.Error("the results of a stride are lost; its messages become unknown", "run", stride.Run, "stride", stride.ID, "err", err)
		}
	})
}

// deliver returns when every part of the load has its result.
func (w *shift) deliver(ctx context.Context, bind *smpp.Bind, stride *campaign.Stride, load load) {
	if len(load.parts) == 0 {
		return
	}
	centre, route := stride.Centre, w.Runs.Drains.index(stride.Route)
	took := make([]time.Duration, len(load.parts))
	var answered sync.WaitGroup
	answered.Add(len(load.parts))
	take := func(i int, r smpp.Result) campaign.PartResult {
		result := load.results[i] // written once, by Done; Late works on its copy
		result.Result, result.Status, result.At = resultOf(r.Outcome, r.Status), uint32(r.Status), r.At
		if r.Outcome == smpp.Accepted {
			result.ID, result.Key = r.MessageID, campaign.MessageKey(centre, r.MessageID)
			w.Memory.remember(result.Key, remembered{
				msisdn: load.numbers[i], run: stride.Run, seq: result.Seq, part: result.Part, route: route, at: milliseconds(r.At),
			})
		}
		return result
	}
	bind.Send(ctx, &smpp.Batch{
		Parts:  load.parts,
		SendBy: stride.SendBy,
		Allow:  w.allow(stride, &load),
		Done: func(i int, r smpp.Result) {
			load.results[i], took[i] = take(i, r), r.Took
			answered.Done()
		},
		Late: func(i int, r smpp.Result) { w.recordLate(stride, take(i, r)) },
	})
	answered.Wait()
	w.count(stride.Bind, load.results, took)
}

// allow asks immediately before a part is written whether it still may be, in the order of the parts.
func (w *shift) allow(stride *campaign.Stride, load *load) func(i int) bool {
	last := -1 // the last part that might go
	return func(i int) bool {
		follows := i > 0 && last == i-1 && load.numbers[i] == load.numbers[last]
		if w.Halts.Refuses(stride.Run, stride.Begun, follows) || w.Stops.Has(load.keys[i], w.post.run.Spec.Purpose, stride.Begun) {
			return false
		}
		last = i
		return true
	}
}
