package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"pukar/campaign"
	"pukar/internal/auditlog"
	"pukar/internal/backup"
	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/internal/mark"
	"pukar/internal/pgdb"
)

// RestoredBackup is what a restore put back and what it found when it looked.
type RestoredBackup struct {
	Backup backup.Manifest           `json:"backup"`
	Audit  auditlog.Verification     `json:"audit"`
	Lists  campaign.HashVerification `json:"lists"`
	Paused int                       `json:"paused_runs"` // that go on with `resume-all --after-restore`
}

// RestoreBackup puts a backup back into an empty home, and the database that the configuration names or a private one.
// The file is read twice: whether it is whole is known before anything is touched. Every run that was going then is
// paused, because who was written to since the backup is not in it. The server must not run meanwhile.
func RestoreBackup(ctx context.Context, cfg *config.Config, file io.ReadSeeker, log *slog.Logger) (_ *RestoredBackup, err error) {
	manifest, err := backup.Check(file)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := backup.Claim(cfg.Home, cfg.KeyFile); err != nil {
		return nil, err
	}
	address := cfg.DatabaseURL.Reveal()
	if address == "" {
		servers, err := embedded.Start(ctx, embedded.Options{Home: cfg.Home, Log: log, Postgres: true, Durable: true})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, servers.Stop(context.WithoutCancel(ctx))) }()
		address = servers.DatabaseURL
	}
	pool, err := pgdb.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	if err := mark.Primary(ctx, pool); err != nil {
		return nil, err
	}
	target := backup.Target{Pool: pool, Address: address, Home: cfg.Home, KeyFile: cfg.KeyFile}
	if err := target.Restore(ctx, file, manifest); err != nil {
		return nil, err
	}
	done, err := examineRestored(ctx, pool, manifest)
	if err != nil {
		return nil, err
	}
	return done, target.Finish()
}

// examineRestored pauses what was going and recomputes every hash.
func examineRestored(ctx context.Context, pool *pgxpool.Pool, m backup.Manifest) (*RestoredBackup, error) {
	done := &RestoredBackup{Backup: m}
	var err error
	if done.Audit, err = auditlog.Verify(ctx, pool, m.Head); err != nil {
		return nil, err
	}
	if !done.Audit.OK() {
		return nil, fmt.Errorf("restore: event %d of the audit chain %s: this is not what was backed up", *done.Audit.Broken, done.Audit.Why)
	}
	ledger := campaign.NewLedger(pool)
	if done.Lists, err = ledger.VerifyHashes(ctx); err != nil {
		return nil, err
	}
	if len(done.Lists.Broken) > 0 {
		return nil, fmt.Errorf("restore: the lists of %d runs are not as they were frozen: this is not what was backed up", len(done.Lists.Broken))
	}
	found := "the backup of " + m.CreatedAt.In(campaign.India).Format(time.RFC3339) + " was put back"
	if done.Paused, err = ledger.NoticeRestore(ctx, found, time.Now()); err != nil {
		return nil, err
	}
	return done, nil
}
