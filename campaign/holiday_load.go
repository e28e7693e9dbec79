package campaign

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"pukar/audience"
)

//go:embed holidays/*.yaml
var shippedHolidays embed.FS

var holidayFile = regexp.MustCompile(`^([0-9]{4})\.yaml$`)

// LoadHolidays reads the calendars that ship with the program and over them those of a folder, YEAR.yaml each:
// what a file there says of a calendar's day replaces what was shipped, or takes it out. The folder need not
// be there; "" is none. Every problem of a file is reported with its line.
func LoadHolidays(folder string) (*Holidays, error) {
	shipped, err := fs.Sub(shippedHolidays, "holidays")
	if err != nil {
		return nil, fmt.Errorf("open the shipped holidays: %w", err)
	}
	h := &Holidays{years: make(map[yearOf]CalendarYear), days: make(map[date][]Holiday)}
	if err := h.readFolder(shipped, ""); err != nil {
		return nil, err
	}
	if folder == "" {
		return h, nil
	}
	return h, h.readFolder(os.DirFS(folder), folder)
}

// readFolder reads every YEAR.yaml of a folder.
func (h *Holidays) readFolder(folder fs.FS, name string) error {
	entries, err := fs.ReadDir(folder, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list holidays: %w", err)
	}
	var problems []string
	for _, entry := range entries {
		file := filepath.Join(name, entry.Name())
		year := holidayFile.FindStringSubmatch(entry.Name())
		if year == nil {
			if strings.HasSuffix(entry.Name(), ".yaml") || strings.HasSuffix(entry.Name(), ".yml") {
				problems = append(problems, fmt.Sprintf("%s: name it after its year, such as 2027.yaml", file))
			}
			continue
		}
		source, err := fs.ReadFile(folder, entry.Name())
		if err != nil {
			return fmt.Errorf("read holidays %s: %w", file, err)
		}
		n, _ := strconv.Atoi(year[1])
		for _, problem := range h.read(source, n) {
			problems = append(problems, file+": "+problem)
		}
	}
	if len(problems) > 0 {
		return invalid("holidays: %s", strings.Join(problems, "; "))
	}
	return nil
}

// calendarFile is the YAML of a year.
type calendarFile struct {
	Year      int                     `yaml:"year"`
	Calendars map[string]calendarText `yaml:"calendars"`
}

// calendarText is one calendar of a year.
type calendarText struct {
	Source   string    `yaml:"source"`
	Complete bool      `yaml:"complete"`
	Note     string    `yaml:"note"`
	Days     []dayText `yaml:"days"`
}

// dayText is one day of a calendar, with its line.
type dayText struct {
	Date    string `yaml:"date"`
	Name    string `yaml:"name"`
	Source  string `yaml:"source"`
	Certain *bool  `yaml:"certain"`
	Remove  bool   `yaml:"remove"`

	line int
}

// UnmarshalYAML keeps the line that a day stands in.
func (d *dayText) UnmarshalYAML(node *yaml.Node) error {
	type plain dayText
	if err := knownKeys(node, "date", "name", "source", "certain", "remove"); err != nil {
		return err
	}
	if err := node.Decode((*plain)(d)); err != nil {
		return err
	}
	d.line = node.Line
	return nil
}

// knownKeys is what KnownFields would do, which does not reach into types that decode themselves.
func knownKeys(node *yaml.Node, known ...string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a day is written {date: 2027-01-26, name: Republic Day}", node.Line)
	}
	for i := 0; i < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(known, key.Value) {
			return fmt.Errorf("line %d: unknown key %s of a day: known are %s", key.Line, key.Value, strings.Join(known, ", "))
		}
	}
	return nil
}

// read adds a file's calendars to what is known, replacing days of the same calendar and date.
func (h *Holidays) read(source []byte, year int) (problems []string) {
	var f calendarFile
	decoder := yaml.NewDecoder(strings.NewReader(string(source)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return []string{yamlText(err)}
	}
	if f.Year != year {
		return []string{fmt.Sprintf("year: %d: the file is named %d.yaml: both are to be the same", f.Year, year)}
	}
	states := audience.KnownPlaces()
	for _, name := range slices.Sorted(maps.Keys(f.Calendars)) {
		text := f.Calendars[name]
		if state, err := states.ResolveState(name); name != National && (err != nil || state.Abbreviation != name) {
			problems = append(problems, fmt.Sprintf("calendars.%s: write national or the abbreviation of a state, such as BR", name))
			continue
		}
		problems = append(problems, h.readCalendar(name, year, text)...)
	}
	h.last = max(h.last, year)
	return problems
}

func (h *Holidays) readCalendar(name string, year int, text calendarText) (problems []string) {
	key := yearOf{name, year}
	known, again := h.years[key]
	if !again {
		known = CalendarYear{Calendar: name, Year: year, Source: text.Source, Complete: text.Complete, Note: text.Note}
	} else if text.Complete { // who brings the rest may say so
		known.Complete, known.Note = true, text.Note
	}
	written := make(map[date]int)
	for _, d := range text.Days {
		at, err := time.ParseInLocation(time.DateOnly, d.Date, India)
		on := dateOf(at)
		_, twice := written[on]
		twice = twice && d.Remove // two feasts may fall on one day, but a day goes only once
		was := slices.DeleteFunc(slices.Clone(h.days[on]), func(day Holiday) bool { return day.Calendar != name })
		from := d.Source
		if from == "" {
			from = text.Source
		}
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("line %d: date %q: write it as 2027-01-26", d.line, d.Date))
		case on.year != year:
			problems = append(problems, fmt.Sprintf("line %d: %s does not lie in %d", d.line, on, year))
		case d.Remove && (len(was) == 0 || twice):
			problems = append(problems, fmt.Sprintf("line %d: %s is no holiday of %s: there is nothing to remove; see `pukar holidays`", d.line, on, name))
		case d.Remove:
			h.drop(on, name)
			written[on] = d.line
		case strings.TrimSpace(d.Name) == "":
			problems = append(problems, fmt.Sprintf("line %d: %s has no name", d.line, on))
		case from == "":
			problems = append(problems, fmt.Sprintf("line %d: %s has no source: say where it was published, for the day or for the calendar", d.line, on))
		default:
			if _, mine := written[on]; !mine {
				h.drop(on, name)
			}
			written[on] = d.line
			h.days[on] = append(h.days[on], Holiday{
				Date: at, Calendar: name, Name: d.Name, Source: from, Certain: d.Certain == nil || *d.Certain,
			})
		}
	}
	known.Days = 0
	for on, days := range h.days {
		if on.year == year && slices.ContainsFunc(days, func(day Holiday) bool { return day.Calendar == name }) {
			known.Days++
		}
	}
	h.years[key] = known
	return problems
}

// drop takes a calendar's day out.
func (h *Holidays) drop(on date, calendar string) {
	left := slices.DeleteFunc(slices.Clone(h.days[on]), func(day Holiday) bool { return day.Calendar == calendar })
	if len(left) == 0 {
		delete(h.days, on)
		return
	}
	h.days[on] = left
}
