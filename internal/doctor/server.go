package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"pukar/internal/config"
	"pukar/internal/embedded"
	"pukar/web/client"
)

// answering is what is known of the server that should answer on the socket.
type answering struct {
	socket   string
	err      error // of asking it
	version  string
	started  time.Time
	file     bool // the socket's file is there
	denied   bool // this user may not call it
	holder   int  // the process that holds the home, 0 for none
	mayServe bool // the configuration has the role api
}

func examineServer(_ context.Context, i *installation) []Check {
	a := answering{
		socket: i.config.Socket, err: i.healthErr, holder: embedded.Holder(i.config.Home), mayServe: i.config.HasRole(config.RoleAPI) || len(i.config.Roles) == 0,
		denied: errors.Is(unix.Access(i.config.Socket, unix.W_OK), fs.ErrPermission),
	}
	if i.healthErr == nil {
		a.version, a.started = i.health.Version, i.health.StartedAt.Time
	}
	if _, err := os.Lstat(a.socket); err == nil {
		a.file = true
	}
	return judgeServer(a, i.version, i.now())
}

func judgeServer(a answering, version string, now time.Time) []Check {
	switch {
	case a.err == nil && a.version != version:
		return []Check{
			ok("answers", "at %s, for %s", a.socket, age(now.Sub(a.started))),
			warning("version", "start the server again with this program, or use the program that it runs", "the server is version %s, this command is %s", a.version, version),
		}
	case a.err == nil:
		return []Check{ok("answers", "at %s, for %s", a.socket, age(now.Sub(a.started))), ok("version", "%s, as this command", version)}
	case a.denied:
		return []Check{problem("answers", "run this as root, as the server's user, or as a member of the group pukar", "this user may not call the server at %s", a.socket)}
	case errors.Is(a.err, client.ErrNoServer) && a.holder > 0 && a.mayServe:
		return []Check{problem("answers", "look into its log: it may still be starting, or hang; then stop it and start it again", "process %d holds the home and does not answer at %s", a.holder, a.socket)}
	case errors.Is(a.err, client.ErrNoServer) && a.holder > 0:
		return []Check{ok("answers", "process %d runs without the role api, as the configuration says", a.holder)}
	case errors.Is(a.err, client.ErrNoServer) && a.file:
		return []Check{problem("answers", "start `pukar serve` again; its log says why it ended", "nobody answers at %s, which a server left behind: it was killed", a.socket)}
	case errors.Is(a.err, client.ErrNoServer):
		return []Check{warning("answers", "start `pukar serve`", "no server runs here")}
	}
	return []Check{problem("answers", "look into the server's log", "%v", a.err)}
}

// age is a length of time as short as a person wants it.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
