package worker

import (
	"context"
	"fmt"
	"sync"

	"pukar/campaign"
	"pukar/templates"
)

// runsInMind bounds how many runs a process keeps parsed.
const runsInMind = 64

// job is a run with the template version that it was frozen with.
type job struct {
	run      *campaign.Run
	template *templates.Template
	window   campaign.Window
}

// Runs reads runs with their templates once: what they hold was fixed at the freeze.
type Runs struct {
	Ledger    *campaign.Ledger
	Templates *templates.Store

	mu   sync.Mutex
	jobs map[int32]*job
}

func (r *Runs) get(ctx context.Context, id int32) (*job, error) {
	r.mu.Lock()
	known := r.jobs[id]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	run, err := r.Ledger.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	version, err := r.Templates.GetVersion(ctx, run.Template, run.TemplateVersion)
	if err != nil {
		return nil, fmt.Errorf("read the template of run %d: %w", id, err)
	}
	read := &job{run: run, template: version.Template, window: run.Window(version.Template.Category)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs == nil || len(r.jobs) >= runsInMind {
		r.jobs = make(map[int32]*job)
	}
	r.jobs[id] = read
	return read, nil
}
