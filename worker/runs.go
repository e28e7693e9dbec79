package worker

import (
	"context"
	"fmt"
	"sync"

	"pukar/campaign"
	"pukar/templates"
)

// runsInMind bounds how many runs a process keeps parsed.
const runsInMind = 1024

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
	Holidays  *campaign.Holidays // that windows keep
	Drains    *Drains            // how much earlier submission stops, by route; nil: what is assumed of any

	mu        sync.Mutex
	jobs      map[int32]*job
	templates map[templateKey]*templates.Template
}

// templateKey names a version of a template, which never changes.
type templateKey struct {
	name    string
	version int
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
	template, err := r.template(ctx, run)
	if err != nil {
		return nil, err
	}
	read := &job{run: run, template: template, window: run.Window(template.Category, r.Holidays)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs == nil || len(r.jobs) >= runsInMind {
		r.jobs = make(map[int32]*job)
	}
	r.jobs[id] = read
	return read, nil
}

// template reads the version that a run was frozen with, once: single messages are many runs of one template.
func (r *Runs) template(ctx context.Context, run *campaign.Run) (*templates.Template, error) {
	key := templateKey{run.Template, run.TemplateVersion}
	r.mu.Lock()
	known := r.templates[key]
	r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	version, err := r.Templates.GetVersion(ctx, run.Template, run.TemplateVersion)
	if err != nil {
		return nil, fmt.Errorf("read the template of run %d: %w", run.ID, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.templates == nil || len(r.templates) >= runsInMind {
		r.templates = make(map[templateKey]*templates.Template)
	}
	r.templates[key] = version.Template
	return version.Template, nil
}
