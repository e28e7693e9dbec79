package audience

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxProblems bounds the different reasons that are kept apart while a file is read, and
	// shownProblems how many of them the result has.
	maxProblems   = 2000
	shownProblems = 50
	sampleLines   = 5
)

// rowProblem is what is wrong with one value of a row.
type rowProblem struct {
	// column is the header in the file, field the field of the contact; both are empty where the row
	// as a whole is meant.
	column, field string
	reason        string
}

type problemKey struct{ column, reason string }

// problemTally counts problems by column and reason.
type problemTally struct {
	byKey map[problemKey]*ImportProblem
	more  int64
}

func newProblemTally() *problemTally { return &problemTally{byKey: map[problemKey]*ImportProblem{}} }

func (t *problemTally) add(line int64, p rowProblem) {
	key := problemKey{p.column, p.reason}
	known := t.byKey[key]
	if known == nil {
		if len(t.byKey) >= maxProblems {
			t.more++
			return
		}
		known = &ImportProblem{Column: p.column, Reason: p.reason}
		t.byKey[key] = known
	}
	known.Count++
	if len(known.Lines) < sampleLines {
		known.Lines = append(known.Lines, line)
	}
}

// shown returns the most frequent problems and how many rows belong to the others.
func (t *problemTally) shown() ([]ImportProblem, int64) {
	var all []ImportProblem
	for _, p := range t.byKey {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b ImportProblem) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Lines[0], b.Lines[0]), cmp.Compare(a.Column, b.Column))
	})
	more := t.more
	for len(all) > shownProblems {
		more += all[len(all)-1].Count
		all = all[:len(all)-1]
	}
	return all, more
}

// rejectWriter writes the rows that need a person's eye, in a form that can be corrected and
// imported again.
type rejectWriter struct {
	out    *csv.Writer
	plan   *importPlan
	record []string
}

// newRejectWriter writes the header line; w may be nil.
func newRejectWriter(w io.Writer, plan *importPlan) *rejectWriter {
	if w == nil {
		return nil
	}
	r := &rejectWriter{out: csv.NewWriter(w), plan: plan, record: slices.Clone(rejectColumns)}
	for _, c := range plan.columns {
		if !c.reject {
			r.record = append(r.record, c.header)
		}
	}
	_ = r.out.Write(r.record) // the error is kept and comes with flush
	return r
}

// row writes one row. A row that could not be cut into fields stands whole in the first column.
func (r *rejectWriter) row(line int64, action string, problems []rowProblem, fields [][]byte, raw []byte) {
	if r == nil {
		return
	}
	var columns, reasons []string
	for _, p := range problems {
		if p.column != "" {
			columns = append(columns, p.column)
		}
		reasons = append(reasons, p.reason)
	}
	r.record = append(r.record[:0], strconv.FormatInt(line, 10), action, strings.Join(columns, "; "), strings.Join(reasons, "; "))
	if fields == nil {
		const enough = 4000
		fields = [][]byte{raw[:min(len(raw), enough)]}
	}
	for i, c := range r.plan.columns {
		switch {
		case c.reject:
		case i < len(fields):
			r.record = append(r.record, string(fields[i]))
		default:
			r.record = append(r.record, "")
		}
	}
	_ = r.out.Write(r.record) // the error is kept and comes with flush
}

func (r *rejectWriter) flush() error {
	if r == nil {
		return nil
	}
	r.out.Flush()
	return r.out.Error()
}
