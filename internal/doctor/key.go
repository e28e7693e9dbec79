package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"

	"pukar/audience"
)

const sqlWitness = `SELECT key_check FROM instance`

func examineKey(ctx context.Context, i *installation) []Check {
	key, err := audience.OpenKey(i.config.KeyFile)
	var stored []byte
	known := false // whether the database could be asked
	if i.database != nil {
		asked := i.database.QueryRow(ctx, sqlWitness).Scan(&stored)
		known = asked == nil || errors.Is(asked, pgx.ErrNoRows)
	}
	var own []byte
	if err == nil {
		own = key.Witness()
	}
	return judgeKey(i.config.KeyFile, err, own, stored, known)
}

func judgeKey(path string, err error, own, stored []byte, known bool) []Check {
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(stored) > 0:
		return []Check{problem("file", "restore the installation's own key to "+path+": with a new one no stop in the list would be found", "%s is missing, and the database was filled with one", path)}
	case errors.Is(err, fs.ErrNotExist):
		return []Check{warning("file", "start `pukar serve`, which makes it; keep a copy of it apart from the backups of the database", "%s is not there yet", path)}
	case errors.Is(err, fs.ErrPermission):
		return []Check{problem("file", "run this as the user that the server runs as, or as root", "%v", err)}
	case err != nil:
		return []Check{problem("file", fmt.Sprintf("chmod 600 %s where others may read it; restore it from a backup where it is damaged", path), "%v", err)}
	}
	checks := []Check{ok("file", "%s, for its owner only", path)}
	switch {
	case !known:
		checks = append(checks, unknown("fits", "PostgreSQL"))
	case len(stored) == 0:
		checks = append(checks, ok("fits", "the database has had no key yet"))
	case string(stored) != string(own):
		checks = append(checks, problem("fits", "restore the installation's own key, or point database_url at its own database", "it is not the key that this database was filled with: no stop in the list would be found"))
	default:
		checks = append(checks, ok("fits", "the one that this database was filled with"))
	}
	return checks
}
