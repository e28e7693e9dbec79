package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pukar/internal/app"
	"pukar/internal/backup"
	"pukar/web/api"
	"pukar/web/client"
)

func (sh *shell) backup() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write the whole installation into one file",
		Long: `Writes the database as of one moment, the key under which numbers are hashed, and the configuration into one file, while
everything goes on. Needs pg_dump (package postgresql-client) where the server runs, and root or the server's own user: the file
holds every number, the key and the configuration's passwords. Keep it encrypted and on another machine.

FILE must not exist; "-" writes to standard output. What was written is read again and checked before FILE is there.`,
		Example: `  pukar backup /backup/pukar-$(date +%F).tar
  pukar backup - | gpg --encrypt --recipient office > pukar.tar.gpg`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			caller := sh.client()
			defer caller.Close()
			if args[0] == "-" {
				if asJSON {
					return usage(errors.New("--json needs a FILE: standard output takes the backup"))
				}
				_, err := checkedBackup(cmd.Context(), caller, sh.stdout)
				return err
			}
			manifest, err := sh.backupTo(cmd.Context(), caller, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, manifest)
			}
			say(sh.stdout, "%s: %s, %s, %s and %s as of %s. Audit head %s", args[0], plural(manifest.Contacts, "contact", "contacts"),
				plural(manifest.Runs, "run", "runs"), plural(manifest.Stops, "stop", "stops"), plural(manifest.Audit, "audit event", "audit events"),
				api.At(manifest.CreatedAt), manifest.Head.Hash)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the manifest as JSON")
	return cmd
}

// backupTo writes a backup that comes to its place whole and checked, or not at all.
func (sh *shell) backupTo(ctx context.Context, caller *client.Client, path string) (backup.Manifest, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return backup.Manifest{}, usage(fmt.Errorf("%s is there already: name a file that is not", path))
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // only its owner may read it
	if err != nil {
		return backup.Manifest{}, tidyPath(err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name()) // gone where it was kept
	}()
	started := time.Now()
	bar := newProgress(sh.stderr, "backup", 0, nil, false)
	var written int64
	manifest, err := checkedBackup(ctx, caller, writerFunc(func(p []byte) (int, error) {
		n, err := file.Write(p)
		written += int64(n)
		bar.at(written, fmt.Sprintf("%s KB, %s", count(written/1024), time.Since(started).Round(time.Second)))
		return n, err
	}))
	bar.drop()
	if err = errors.Join(err, file.Sync()); err != nil {
		return manifest, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return manifest, err
	}
	if _, err := backup.Check(file); err != nil { // as the disk gives it back
		return manifest, err
	}
	return manifest, tidyPath(os.Rename(file.Name(), path))
}

// checkedBackup writes a backup and checks it as it goes by.
func checkedBackup(ctx context.Context, caller *client.Client, w io.Writer) (backup.Manifest, error) {
	type checked struct {
		manifest backup.Manifest
		err      error
	}
	r, along := io.Pipe()
	result := make(chan checked, 1)
	go func() {
		m, err := backup.Check(r)
		_, _ = io.Copy(io.Discard, r) // the padding at the end, or what follows what is wrong
		result <- checked{m, err}
	}()
	err := caller.Backup(ctx, io.MultiWriter(w, along))
	_ = along.CloseWithError(err)
	found := <-result
	if err != nil {
		return found.manifest, err
	}
	return found.manifest, found.err
}

func (sh *shell) restore() *cobra.Command {
	var f serverFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup back into an empty home",
		Long: `Puts the file of ` + "`pukar backup`" + ` back into an empty home and, where the configuration names one, an empty database; otherwise
into a private one. The file is checked first. Every hash is computed again: that of each audit event and of each run's list of
people. The server must not run.

Nothing is sent afterwards until ` + "`pukar resume-all --after-restore`" + `: who was written to and who said stop since the backup is not in it.
Look that up in the message centre's records first.`,
		Example: `  pukar restore /backup/pukar-2026-12-01.tar
  pukar restore pukar.tar --pukar-home /srv/pukar --config /etc/pukar.yaml`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return tidyPath(err)
			}
			defer file.Close()
			cfg, err := sh.load(f)
			if err != nil {
				return err
			}
			done, err := app.RestoreBackup(cmd.Context(), cfg, file, sh.logger(slog.LevelWarn))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, done)
			}
			say(sh.stdout, "Put back as of %s: %s, %s and %s.", api.At(done.Backup.CreatedAt), plural(done.Backup.Contacts, "contact", "contacts"),
				plural(done.Backup.Runs, "run", "runs"), plural(done.Backup.Stops, "stop", "stops"))
			say(sh.stdout, "%s and the lists of %s: every hash is right.", plural(done.Audit.Events, "audit event", "audit events"), plural(done.Lists.Runs, "run", "runs"))
			say(sh.stdout, "Nothing is sent until `pukar resume-all --after-restore`; paused runs: %d. Start the server with `pukar serve`.", done.Paused)
			return nil
		},
	}
	configFlag(cmd, &f)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
