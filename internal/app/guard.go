package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"pukar/campaign"
	"pukar/internal/mark"
)

// guard looks, before anything is sent, whether the database is the one that this home worked with, and no older than
// what it did with it; if it is not, every run pauses. It goes on looking while the process runs.
func (a *App) guard(ctx context.Context) error {
	if a.volatile {
		a.ledger.AllowVolatile()
	}
	var volatile *campaign.VolatileError
	if err := a.ledger.Durable(ctx); errors.As(err, &volatile) {
		a.log.Warn("the database may lose what it confirms", "setting", volatile.Setting, "err", err)
	} else if err != nil {
		return err
	}
	keeper := &mark.Keeper{
		Pool: a.Pool, Path: filepath.Join(a.Config.Home, mark.FileName), Log: a.log.With("component", "mark"), Restored: a.restored,
	}
	if err := keeper.Check(ctx); err != nil {
		return err
	}
	a.ledger.SendOnlyUnder(keeper.Origin())
	a.ledger.SendOnlyBeyond(keeper.Reached)
	running := start(keeper.Run, a.fail)
	a.life.onStop("mark", 10*time.Second, running.stop)
	pending, err := a.ledger.PendingRestoration(ctx)
	if err != nil {
		return err
	}
	if pending != nil {
		a.log.Warn("nothing is launched or resumed: check what was sent, then `pukar resume-all --after-restore`",
			"noticed_at", pending.NoticedAt, "found", pending.Found)
	}
	return nil
}

// restored pauses everything because the data is older than what was done with it.
func (a *App) restored(ctx context.Context, found string) error {
	paused, err := a.ledger.NoticeRestore(ctx, found, time.Now())
	if err != nil {
		return err
	}
	a.log.Error("the database was restored or failed over to older data; every run is paused", "found", found, "paused", paused)
	return nil
}
