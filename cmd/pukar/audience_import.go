package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8/decor"

	"pukar/web/api"
	"pukar/web/client"
)

// importFlags are the flags of `audience import`.
type importFlags struct {
	source  string
	maps    []string
	dryRun  bool
	rejects string
	json    bool
}

func (sh *shell) audienceImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Read a CSV file of people into the register",
		Long: `Reads a CSV file of people into the register. The first line names the columns; columns that Pukar does not know
become attributes of the person. Numbers are brought to one form, states and districts to their official codes. The
same file read twice changes nothing. Rows that cannot be taken are written to a file with their line and the reason.`,
		Example: `  pukar audience import people.csv
  pukar audience import drive.csv --source "Ranchi drive" --map 'Mobile No=msisdn' --map 'जिला=home_district'
  pukar audience import people.csv --dry-run
  zcat people.csv.gz | pukar audience import - --source registry`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return sh.runImport(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.source, "source", "", "where the list comes from (default: the file's name)")
	flags.StringArrayVar(&f.maps, "map", nil, "'Header=field': read the column under that header as that field; may be given often")
	flags.BoolVar(&f.dryRun, "dry-run", false, "judge every row and keep nothing")
	flags.StringVar(&f.rejects, "rejects", "", "where refused rows go (default: FILE.rejects.csv)")
	flags.BoolVar(&f.json, "json", false, "print progress and result as JSON, one document to a line")
	return cmd
}

func (sh *shell) runImport(ctx context.Context, name string, f importFlags) error {
	columns, err := parseMap(f.maps)
	if err != nil {
		return err
	}
	file, closeFile, err := sh.open(name)
	if err != nil {
		return err
	}
	defer closeFile()
	base := "stdin"
	if name != "-" {
		base = filepath.Base(name)
	}
	rejects := &lateFile{path: cmp.Or(f.rejects, base+".rejects.csv")}
	if name != "-" && f.rejects == "" {
		rejects.path = name + ".rejects.csv"
	}
	defer rejects.close()

	counted := &countingReader{from: file}
	size := sizeOf(file)
	started := time.Now()
	bar := newProgress(sh.stderr, "import "+base, size, decor.SizeB1024(0), f.json)
	caller := sh.client()
	defer caller.Close()
	result, err := caller.Import(ctx, counted, client.ImportOptions{
		Source: cmp.Or(f.source, strings.TrimSuffix(base, filepath.Ext(base))), FileName: base, Map: columns, DryRun: f.dryRun, Rejects: rejects,
		Progress: func(p api.ImportProgress) {
			if f.json {
				_ = printLine(sh.stdout, api.ImportEvent{Progress: &p})
				return
			}
			bar.at(counted.n.Load(), importNote(p, started))
		},
	})
	if err != nil {
		bar.drop()
		return err
	}
	if err := rejects.keep(); err != nil {
		bar.drop()
		return fmt.Errorf("rejects: %w", err)
	}
	bar.end(fmt.Sprintf("%s rows, %s refused, %s", count(result.Read), count(result.Refused), rate(result.Read, started)))
	if f.json {
		return printLine(sh.stdout, api.ImportEvent{Result: &result})
	}
	return sh.tellImport(result, rejects.path)
}

// importNote says in a line how an import goes.
func importNote(p api.ImportProgress, started time.Time) string {
	if p.Stage == "waiting" {
		return "waits for another import to end"
	}
	return fmt.Sprintf("%s rows, %s refused, %s", count(p.Read), count(p.Refused), rate(p.Read, started))
}

func (sh *shell) tellImport(r api.ImportResult, rejects string) error {
	title := "Imported"
	if r.DryRun {
		title = "Dry run, nothing kept"
	}
	say(sh.stdout, "%s: %s rows read.", title, count(r.Read))
	if err := pairs(sh.stdout,
		[2]string{"  new", count(r.Inserted)}, [2]string{"  changed", count(r.Updated)},
		[2]string{"  as before", count(r.Unchanged)}, [2]string{"  refused", count(r.Refused)},
		[2]string{"  incomplete", count(r.Warned)},
	); err != nil {
		return err
	}
	for _, note := range r.Notes {
		say(sh.stdout, "note: %s", note)
	}
	tellProblems(sh.stdout, "Refused because", r.Refusals, r.MoreRefusals)
	tellProblems(sh.stdout, "Taken without a value because", r.Warnings, r.MoreWarnings)
	if r.Refused+r.Warned > 0 {
		say(sh.stdout, "These rows are in %s with their reasons: mend them there and import that file.", rejects)
	}
	return nil
}

// tellProblems lists reasons, the most frequent first.
func tellProblems(w io.Writer, title string, problems []api.ImportProblem, more int64) {
	if len(problems) == 0 {
		return
	}
	say(w, "%s:", title)
	for i, p := range problems {
		if i == 10 {
			for _, rest := range problems[i:] {
				more += rest.Count
			}
			break
		}
		where := "row"
		if p.Column != "" {
			where = p.Column
		}
		line := ""
		if len(p.Lines) > 0 {
			line = fmt.Sprintf(", first at line %d", p.Lines[0])
		}
		say(w, "  %s: %s: %s%s", where, p.Reason, plural(p.Count, "row", "rows"), line)
	}
	if more > 0 {
		say(w, "  other reasons: %s", plural(more, "row", "rows"))
	}
}

// parseMap reads 'Header=field' pairs. A header may hold an equals sign; a field never does.
func parseMap(maps []string) (map[string]string, error) {
	columns := map[string]string{}
	for _, pair := range maps {
		cut := strings.LastIndex(pair, "=")
		if cut < 1 || cut == len(pair)-1 {
			return nil, usage(fmt.Errorf("--map %q: write 'Header=field', as 'Mobile No=msisdn'", pair))
		}
		columns[pair[:cut]] = pair[cut+1:]
	}
	return columns, nil
}

// open opens a file to read; "-" is the standard input.
func (sh *shell) open(name string) (io.Reader, func(), error) {
	if name == "-" {
		return sh.stdin, func() {}, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, tidyPath(err)
	}
	return file, func() { _ = file.Close() }, nil
}

// readFile reads a file that a person wrote, a megabyte at most; "-" is the standard input.
func (sh *shell) readFile(name string) ([]byte, error) {
	file, closeFile, err := sh.open(name)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	source, err := io.ReadAll(io.LimitReader(file, 1<<20+1))
	if err != nil {
		return nil, tidyPath(err)
	}
	if len(source) > 1<<20 {
		return nil, fmt.Errorf("%s: more than 1 MB: this is not a file of that kind", name)
	}
	if len(bytes.TrimSpace(source)) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return source, nil
}

// fileError says what is the matter with a file: "FILE: no such file".
type fileError struct{ err *os.PathError }

func (e *fileError) Error() string { return e.err.Path + ": " + e.err.Err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// tidyPath leaves out of an error on a file what was being done to it.
func tidyPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return &fileError{path}
	}
	return err
}

// countingReader counts what passes through it.
type countingReader struct {
	from io.Reader
	n    atomic.Int64
}

// Read reads and counts.
func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n.Add(int64(n))
	return n, err
}

// lateFile is a file that comes to be with the first byte written to it, and at its place only when it is kept.
type lateFile struct {
	path string
	temp *os.File
}

// Write writes to the file, making it first where needed.
func (f *lateFile) Write(p []byte) (int, error) {
	if f.temp == nil {
		temp, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+".*")
		if err != nil {
			return 0, err
		}
		f.temp = temp
	}
	return f.temp.Write(p)
}

// keep puts what was written at its place, whole or not at all; nothing written keeps nothing.
func (f *lateFile) keep() error {
	if f.temp == nil {
		return nil
	}
	if err := errors.Join(f.temp.Sync(), f.temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.temp.Name(), f.path); err != nil {
		return err
	}
	f.temp = nil
	return nil
}

// close drops what was not kept.
func (f *lateFile) close() {
	if f.temp != nil {
		_ = f.temp.Close()
		_ = os.Remove(f.temp.Name())
		f.temp = nil
	}
}
