package backup

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"pukar/internal/embedded"
)

// passwordWord is a password in the keyword form of an address.
var passwordWord = regexp.MustCompile(`(^|\s)password=('([^'\\]|\\.)*'|\S+)`)

// hidePassword parts an address from its password, because every user of a machine can read the arguments of a program.
func hidePassword(address string) (rest, password string) {
	if u, err := url.Parse(address); err == nil && u.Scheme != "" {
		if given, ok := u.User.Password(); ok {
			u.User, password = url.User(u.User.Username()), given
		}
		query := u.Query()
		if given := query.Get("password"); given != "" {
			query.Del("password")
			u.RawQuery, password = query.Encode(), given
		}
		return u.String(), password
	}
	if found := passwordWord.FindString(address); found != "" {
		_, password, _ = strings.Cut(found, "=")
		password = strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(strings.Trim(password, "'"))
		address = strings.TrimSpace(passwordWord.ReplaceAllString(address, ""))
	}
	return address, password
}

// client prepares one of PostgreSQL's programs for the database at the address. Settings of the caller's own, such as
// PGOPTIONS, do not reach it.
func client(ctx context.Context, name string, server int, address string, args ...string) (*exec.Cmd, error) {
	path, err := embedded.Program(ctx, name, server)
	if err != nil {
		return nil, err
	}
	rest, password := hidePassword(address)
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+rest)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	return cmd, nil
}

// mostSaid bounds how much of a program's complaints an error repeats.
const mostSaid = 2000

// said is an error with the last lines that a program wrote to its standard error.
func said(name string, err error, stderr string) error {
	text := strings.TrimSpace(stderr)
	if len(text) > mostSaid {
		text = text[len(text)-mostSaid:]
	}
	return fmt.Errorf("%s: %w: %s", name, err, text)
}
