package audience

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

const (
	// importChunks is how many chunks there are: one being filled, one on its way, one being sent.
	importChunks = 3
	// analyzeFrom is the number of changes from which PostgreSQL looks at the table anew at once: the
	// first cohort is asked for right after an import, long before autovacuum comes by.
	analyzeFrom = 20_000
	// progressEvery bounds how often a caller is told.
	progressEvery = 200 * time.Millisecond
)

// The columns by which cohorts mostly pick; autovacuum sees to the others.
const sqlAnalyzeContacts = `
ANALYZE contact (identity, msisdn, language, age, occupation, home_state, home_district, current_state, ration_card_type, aadhaar_seeded, consent_sms)`

// The file arrives as slowly as it arrives, and the transaction waits for it. Whoever hands the reader in bounds that.
const sqlImportPatience = `SET LOCAL idle_in_transaction_session_timeout = 0`

// runImport reads on one goroutine and writes on the caller's.
func runImport(ctx context.Context, pool *pgxpool.Pool, key Key, src io.Reader, opt ImportOptions) (ImportResult, error) {
	hash := sha256.New()
	split := newSplitter(io.TeeReader(src, hash))
	plan, err := readHeader(split, opt.Map)
	if err != nil {
		return ImportResult{}, err
	}
	split.limit = len(plan.columns)
	reader := newRowReader(plan, key, opt)
	res := ImportResult{DryRun: opt.DryRun, Notes: plan.notes}
	stage := "reading"
	tell := progressTeller(opt.Progress, &res, &stage)

	tx, err := pool.Begin(ctx)
	if err != nil {
		return ImportResult{}, err
	}
	// After a commit this does nothing; before it, the file must leave nothing behind even when ctx
	// is gone.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, sqlImportPatience); err != nil {
		return ImportResult{}, err
	}
	merge, err := newImportMerge(ctx, tx, plan, opt, func() {
		stage = "waiting"
		tell(true)
		stage = "reading"
	})
	if err != nil {
		return ImportResult{}, err
	}
	tell(true)
	if err := mergeChunks(ctx, merge, reader, split, constantCells(opt.Source, merge.id, opt.Invented), func(c *importChunk) {
		res.Read += c.read
		res.Refused += c.refused
		res.Bytes = c.bytes
		res.Inserted = merge.inserted
		tell(false)
	}); err != nil {
		return ImportResult{}, err
	}
	stage = "finishing"
	tell(true)
	if res.Updated, err = merge.finish(ctx); err != nil {
		return ImportResult{}, err
	}
	res.Unchanged = res.Read - res.Refused - res.Inserted - res.Updated
	res.SHA256 = hex.EncodeToString(hash.Sum(nil))
	res.Warned = reader.warned
	res.Refusals, res.MoreRefusals = reader.refusals.shown()
	res.Warnings, res.MoreWarnings = reader.warnings.shown()
	if err := reader.rejects.flush(); err != nil {
		return ImportResult{}, fmt.Errorf("write rejects: %w", err)
	}
	if opt.DryRun {
		tell(true)
		return res, nil
	}
	res.Import = merge.id
	if res.Inserted+res.Updated >= analyzeFrom {
		if _, err := tx.Exec(ctx, sqlAnalyzeContacts); err != nil {
			return ImportResult{}, err
		}
	}
	if _, err := tx.Exec(ctx, sqlFinishImport, merge.id, res.SHA256, res.Read, res.Inserted, res.Updated, res.Unchanged, res.Refused); err != nil {
		return ImportResult{}, err
	}
	if err := tx.Commit(ctx); err != nil {
		return ImportResult{}, fmt.Errorf("commit: %w", err)
	}
	tell(true)
	return res, nil
}

// mergeChunks runs the reading goroutine and takes its chunks in. It returns after that goroutine
// has, which for a reader that blocks for ever is never: close it.
func mergeChunks(ctx context.Context, merge *importMerge, reader *rowReader, split *splitter, constants []byte, done func(*importChunk)) error {
	free := make(chan *importChunk, importChunks) // holds all chunks there are, so giving back never blocks
	for range importChunks {
		free <- newImportChunk(reader.plan, reader.chunk)
	}
	full := make(chan *importChunk, 1) // one on its way, so that neither side waits for the other's step
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g errgroup.Group
	g.Go(func() error {
		defer close(full)
		return fillChunks(ctx, reader, split, constants, free, full)
	})
	var merged error
	for c := range full {
		if merged != nil {
			continue // until the reading goroutine has seen the end
		}
		if merged = merge.chunk(ctx, c); merged != nil {
			cancel()
			continue
		}
		done(c)
		c.reset()
		free <- c
	}
	read := g.Wait()
	if merged != nil {
		return merged
	}
	return read
}

// fillChunks reads the file to its end.
func fillChunks(ctx context.Context, reader *rowReader, split *splitter, constants []byte, free <-chan *importChunk, full chan<- *importChunk) error {
	for more := true; more; {
		var c *importChunk
		select {
		case c = <-free:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var err error
		if more, err = fillChunk(reader, split, c); err != nil {
			return err
		}
		c.bytes = split.read
		c.seal(constants, len(importConstants))
		select {
		case full <- c:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// fillChunk reads records until the chunk is full; more is false at the end of the file.
func fillChunk(reader *rowReader, split *splitter, c *importChunk) (more bool, err error) {
	for !c.full() {
		line, err := split.next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.Is(err, errRowLong), errors.Is(err, errRowQuote), errors.Is(err, errRowAfter), errors.Is(err, errRowColumns):
			if bad := split.notUTF8(line); bad != nil {
				return false, bad
			}
			reader.refuse(c, line, err.Error(), split.raw)
			continue
		case err != nil:
			return false, fmt.Errorf("read line %d: %w", line, err)
		}
		if bad := split.notUTF8(line); bad != nil {
			return false, bad
		}
		reader.read(c, line, split.fields, split.raw)
	}
	return true, nil
}

// progressTeller returns a function that reports the result so far, at most every progressEvery
// unless it must.
func progressTeller(progress func(ImportProgress), res *ImportResult, stage *string) func(must bool) {
	if progress == nil {
		return func(bool) {}
	}
	var last time.Time
	return func(must bool) {
		if now := time.Now(); must || now.Sub(last) >= progressEvery {
			last = now
			progress(ImportProgress{
				Stage: *stage, Bytes: res.Bytes,
				Read: res.Read, Inserted: res.Inserted, Updated: res.Updated, Unchanged: res.Unchanged, Refused: res.Refused,
			})
		}
	}
}
