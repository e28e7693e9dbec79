package auditlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"pukar/internal/pgdb"
)

// Anchor is an entry's id and hash, kept outside the database: if the entry is still the same, so is everything before it.
type Anchor struct {
	ID   int64 `json:"id"`
	Hash Hash  `json:"hash"`
}

// Verification is what a look at the whole chain found.
type Verification struct {
	Events int64  `json:"events"`           // entries that hold, counted up to the first that does not
	Last   Anchor `json:"last"`             // the last entry that holds; to be kept as an anchor
	Broken *int64 `json:"broken,omitempty"` // the first id that does not hold
	Why    string `json:"why,omitempty"`    // what is wrong with it
}

// OK says whether the whole chain holds.
func (v Verification) OK() bool { return v.Broken == nil }

// Verify computes the chain again from its first row, and compares it with the anchors. A broken chain is a result, not an error.
func Verify(ctx context.Context, db pgdb.DB, anchors ...Anchor) (Verification, error) {
	c := newChain(anchors)
	after := int64(math.MinInt64)
	for {
		rows, err := readPage(ctx, db, after)
		if err != nil {
			return c.found, fmt.Errorf("verify audit events after %d: %w", after, err)
		}
		for _, r := range rows {
			e, why := r.entry()
			if why != "" {
				c.contiguous(r.ID)
				c.broken(r.ID, why)
			} else {
				c.add(e)
			}
			if !c.found.OK() {
				return c.found, nil
			}
			after = r.ID
		}
		if len(rows) < page {
			return c.end(), nil
		}
	}
}

// maxLine bounds a line of an export.
const maxLine = 64 << 20

// ErrNotAnExport is returned for a file whose lines are not audit entries.
var ErrNotAnExport = errors.New("not an audit export")

// VerifyExport computes the chain again from a file that Export wrote, without a database. The file begins with entry 1, or behind an
// entry that anchors name.
func VerifyExport(r io.Reader, anchors ...Anchor) (Verification, error) {
	c := newChain(anchors)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.DisallowUnknownFields()
		var e Entry
		if err := decoder.Decode(&e); err != nil {
			return c.found, fmt.Errorf("%w: line %d: %w", ErrNotAnExport, n, err)
		}
		if n == 1 {
			c.startAt(&e)
		}
		before, err := canonical(e.Before)
		after, err2 := canonical(e.After)
		if err := errors.Join(err, err2); err != nil {
			return c.found, fmt.Errorf("%w: line %d: %w", ErrNotAnExport, n, err)
		}
		e.Before, e.After = before, after
		if c.add(&e); !c.found.OK() {
			return c.found, nil
		}
	}
	if err := lines.Err(); err != nil {
		return c.found, fmt.Errorf("verify an audit export: %w", err)
	}
	return c.end(), nil
}

// chain checks entries in order.
type chain struct {
	found   Verification
	anchors map[int64]Hash
}

func newChain(anchors []Anchor) *chain {
	c := &chain{anchors: make(map[int64]Hash)}
	for _, a := range anchors {
		if a.ID > 0 {
			c.anchors[a.ID] = a.Hash
		}
	}
	return c
}

// startAt lets an export begin in mid-chain, where an anchor vouches for what came before.
func (c *chain) startAt(e *Entry) {
	if hash, ok := c.anchors[e.ID-1]; ok {
		c.found.Last = Anchor{ID: e.ID - 1, Hash: hash}
		for id := range c.anchors {
			if id < e.ID {
				delete(c.anchors, id)
			}
		}
	}
}

// add checks the next entry.
func (c *chain) add(e *Entry) {
	switch {
	case !c.contiguous(e.ID):
	case e.ID <= c.found.Last.ID:
		c.broken(e.ID, fmt.Sprintf("does not follow %d", c.found.Last.ID))
	case e.Previous != c.found.Last.Hash:
		c.broken(e.ID, fmt.Sprintf("previous is not the hash of %d", c.found.Last.ID))
	case e.sum() != e.Hash:
		c.broken(e.ID, "content and hash do not belong together")
	default:
		if hash, ok := c.anchors[e.ID]; ok && hash != e.Hash {
			c.broken(e.ID, "is not the entry that the anchor was taken from")
			return
		}
		delete(c.anchors, e.ID)
		c.found.Last = Anchor{ID: e.ID, Hash: e.Hash}
		c.found.Events++
	}
}

// contiguous reports a gap before id; false when there is one.
func (c *chain) contiguous(id int64) bool {
	if id > c.found.Last.ID+1 {
		c.broken(c.found.Last.ID+1, "is missing")
		return false
	}
	return true
}

// end reports anchors that no entry answered.
func (c *chain) end() Verification {
	for range c.anchors {
		c.broken(c.found.Last.ID+1, "is missing: the chain ends before an anchor")
	}
	return c.found
}

// broken keeps the first break.
func (c *chain) broken(id int64, why string) {
	if c.found.Broken == nil {
		c.found.Broken, c.found.Why = &id, why
	}
}
