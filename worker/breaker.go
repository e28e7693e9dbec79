package worker

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"pukar/campaign"
	"pukar/internal/config"
	"pukar/smpp"
	"pukar/smpp/pdu"
)

// Breaker pauses a run whose messages fail for what they have in common (its header, template, ids or route), instead of
// letting it burn the list. Each process counts what it sees itself: responses where it sends, receipts where it settles.
type Breaker struct {
	Ledger *campaign.Ledger
	Runs   *Runs
	Halts  *Halts
	Routes []config.Route
	Log    *slog.Logger

	mu           sync.Mutex
	young, aging map[int32]*watched // two generations: single messages are runs too, and very many
}

// watched is what the breaker knows of a run.
type watched struct {
	responses, receipts burst
	trippedAt           time.Time // responses to what was opened before count no more
}

// watchedMost bounds how many runs a generation knows.
const watchedMost = 4096

// what a burst was noticed by.
const (
	byResponse = "responses"
	byReceipt  = "receipts"
)

// trip is why a run is paused.
type trip struct {
	by              string
	code            string
	results, failed int64
}

// Responses looks at what the centre answered to a stride. It belongs beside the hot path: once a stride, not a part.
func (b *Breaker) Responses(ctx context.Context, stride *campaign.Stride, results []campaign.PartResult) {
	var judged, failed int64
	var codes map[string]int64
	for i := range results {
		switch results[i].Result {
		case campaign.Accepted:
			judged++
		case campaign.Refused:
			judged++
			status := pdu.Status(results[i].Status)
			if b.faultOfStatus(stride.Route, status) {
				failed++
				if codes == nil {
					codes = make(map[string]int64)
				}
				codes[statusCode(status)]++
			}
		}
	}
	if judged == 0 {
		return
	}
	now := time.Now()
	b.mu.Lock()
	w := b.watch(stride.Run)
	if !stride.Begun.After(w.trippedAt) {
		b.mu.Unlock()
		return
	}
	t := count(&w.responses, byResponse, now, judged, failed, codes)
	b.mu.Unlock()
	if t != nil {
		b.pause(ctx, stride.Run, t)
	}
}

// Receipts looks at what a round of settled receipts said.
func (b *Breaker) Receipts(ctx context.Context, seen *campaign.SeenReceipts) {
	if seen == nil {
		return
	}
	var faults []campaign.FailedPart
	for _, f := range seen.Failed {
		job, err := b.Runs.get(ctx, f.Run)
		if err == nil && b.classOf(job.run.Route, f.Err) == smpp.ClassConfiguration {
			faults = append(faults, f)
		}
	}
	failed, codes := make(map[int32]int64), make(map[int32]map[string]int64)
	stale := make(map[int32]int64)
	if len(faults) > 0 {
		fresh, err := b.Ledger.FreshFailures(ctx, faults)
		if err != nil {
			b.Log.Error("the breaker could not look at failed receipts", "err", err)
			return
		}
		for _, f := range faults {
			stale[f.Run]++
		}
		for _, i := range fresh {
			f := faults[i]
			stale[f.Run]--
			failed[f.Run]++
			if codes[f.Run] == nil {
				codes[f.Run] = make(map[string]int64)
			}
			codes[f.Run][smpp.TrimCode(f.Err)]++
		}
	}
	now := time.Now()
	for run, final := range seen.Final {
		b.mu.Lock()
		t := count(&b.watch(run).receipts, byReceipt, now, int64(final)-stale[run], failed[run], codes[run])
		b.mu.Unlock()
		if t != nil {
			b.pause(ctx, run, t)
		}
	}
}

// count adds results to a burst and says whether it is one now.
func count(of *burst, by string, now time.Time, results, failed int64, codes map[string]int64) *trip {
	if !of.add(now, results, failed, codes) {
		return nil
	}
	t := &trip{by: by}
	t.code, _ = of.worst()
	t.results, t.failed = of.recent(now.Unix())
	return t
}

// watch finds what is known of a run. Who was not seen while very many others were is forgotten and starts afresh.
func (b *Breaker) watch(run int32) *watched {
	if w := b.young[run]; w != nil {
		return w
	}
	w := b.aging[run]
	if w == nil {
		w = &watched{}
	}
	if b.young == nil || len(b.young) >= watchedMost {
		b.young, b.aging = make(map[int32]*watched), b.young
	}
	b.young[run] = w
	return w
}

// pause trips. What was written ahead is given up before the run is paused, and should that fail, the next results trip again.
func (b *Breaker) pause(ctx context.Context, run int32, t *trip) {
	b.Halts.Run(run)
	job, err := b.Runs.get(ctx, run)
	if err != nil {
		b.Log.Error("the breaker could not pause a run", "run", run, "err", err)
		return
	}
	why := b.why(job, t)
	moved, err := b.Ledger.Brake(ctx, run, "campaign.break", why, map[string]any{
		"code": t.code, "noticed_by": t.by, "failed": t.failed, "of": t.results, "template": job.run.Template, "route": job.run.Route,
	})
	if err != nil {
		b.Log.Error("the breaker could not pause a run", "run", run, "err", err)
		return
	}
	b.mu.Lock()
	*b.watch(run) = watched{trippedAt: time.Now()} // it starts afresh
	b.mu.Unlock()
	if moved {
		b.Log.Warn("a run was paused by the breaker", "run", run, "code", t.code, "noticed_by", t.by, "failed", t.failed, "of", t.results)
	}
}

// why says in words what happened and how it is mended.
func (b *Breaker) why(job *job, t *trip) string {
	meaning, mend := b.words(job.run.Route, t)
	header := cmp.Or(job.template.Header, b.route(job.run.Route).Header, "none")
	return fmt.Sprintf("paused by the breaker: %s (%s), %d of the last %d %s failed like this; template %s, header %s, route %s: %s, then `pukar campaign resume %s`",
		t.code, meaning, t.failed, t.results, t.by, job.run.Template, header, job.run.Route, mend, job.run.Campaign)
}

func (b *Breaker) words(route string, t *trip) (meaning, mend string) {
	if known, ok := smpp.LookUpDLT(t.code); ok && known.Mend != "" {
		return known.Meaning, known.Mend
	}
	var status pdu.Status
	if t.by == byResponse {
		if _, err := fmt.Sscanf(t.code, "0x%X", &status); err == nil {
			return status.Error(), smpp.StatusMend(status)
		}
	}
	return "a code of the route's error_codes", "ask the operator of route " + route + " what it means"
}

func (b *Breaker) route(name string) config.Route {
	for _, r := range b.Routes {
		if r.Name == name {
			return r
		}
	}
	return config.Route{}
}

// faultOfStatus reports whether a refusal blames what all messages have in common: by the route's own word, by the
// specification, or by the DLT code that some operators answer in its place, above what the specification uses.
func (b *Breaker) faultOfStatus(route string, status pdu.Status) bool {
	code := statusCode(status)
	if class, ok := b.ownClass(route, code); ok {
		return class == smpp.ClassConfiguration
	}
	return smpp.Classify(status) == smpp.ClassConfiguration || b.classOf(route, code) == smpp.ClassConfiguration
}

// specifiedStatuses end below the numbers that DLT checks use.
const specifiedStatuses pdu.Status = 0x180

// statusCode is a status as people look it up.
func statusCode(status pdu.Status) string {
	if status >= specifiedStatuses {
		return fmt.Sprint(uint32(status))
	}
	return fmt.Sprintf("0x%02X", uint32(status))
}

// classOf is the class of an error code on a route: the route's own word, else that of the DLT checks. What is not known
// is the matter of a single number.
func (b *Breaker) classOf(route, code string) smpp.Class {
	code = smpp.TrimCode(code)
	if code == "" {
		return smpp.ClassSuccess
	}
	if class, ok := b.ownClass(route, code); ok {
		return class
	}
	if known, ok := smpp.LookUpDLT(code); ok {
		return known.Class
	}
	return smpp.ClassPermanent
}

func (b *Breaker) ownClass(route, code string) (smpp.Class, bool) {
	for own, class := range b.route(route).ErrorCodes {
		if smpp.TrimCode(own) == smpp.TrimCode(code) {
			return classNamed[class], true
		}
	}
	return 0, false
}

// classNamed are the words of a route's error_codes.
var classNamed = map[string]smpp.Class{
	config.ErrorConfiguration: smpp.ClassConfiguration, config.ErrorPermanent: smpp.ClassPermanent, config.ErrorTransient: smpp.ClassTransient,
}
