package campaign

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"pukar/templates"
)

// Spec is a campaign file, checked and with its defaults filled in.
type Spec struct {
	Name        string           `json:"name"`
	Purpose     string           `json:"purpose"`
	Audience    Audience         `json:"audience"`
	SMS         SMSStep          `json:"sms"`
	Window      Window           `json:"window"`
	Rate        float64          `json:"parts_per_second"` // 0: no limit of the campaign's own
	Priority    string           `json:"priority"`
	OnUnknown   string           `json:"on_unknown"`
	ReceiptWait time.Duration    `json:"receipt_wait"`
	Schedule    *Schedule        `json:"schedule,omitempty"`   // nil: launched by hand
	PerContact  Cap              `json:"per_contact,omitzero"` // messages of all campaigns to one number
	Unfinished  string           `json:"unfinished,omitempty"` // continue, or end: whether it goes on in the next window; "" is continue
	BudgetINR   templates.Rupees `json:"budget_inr,omitempty"` // for all its runs together, in millionths; 0: none
}

// Audience says who a campaign is for.
type Audience struct {
	Scheme      string   `json:"scheme,omitempty" yaml:"scheme"`
	Eligibility string   `json:"eligibility,omitempty" yaml:"eligibility"`
	Home        []string `json:"home,omitempty" yaml:"home"`
	Language    []string `json:"language,omitempty" yaml:"language"`
	Where       string   `json:"where,omitempty" yaml:"where"`
	All         bool     `json:"all,omitempty" yaml:"all"`
}

// SMSStep sends a template by a route.
type SMSStep struct {
	Template string `json:"template" yaml:"template"`
	Route    string `json:"route" yaml:"route"`
}

// file is the YAML of a campaign file, as far as it is built.
type file struct {
	Name     string   `yaml:"name"`
	Purpose  string   `yaml:"purpose"`
	Audience Audience `yaml:"audience"`
	Steps    []struct {
		SMS *SMSStep `yaml:"sms"`
	} `yaml:"steps"`
	Window *struct {
		Days     string   `yaml:"days"`
		From     string   `yaml:"from"`
		To       string   `yaml:"to"`
		Holidays nameList `yaml:"holidays"`
	} `yaml:"window"`
	Unfinished string `yaml:"unfinished"`
	Rate       struct {
		PartsPerSecond float64 `yaml:"parts_per_second"`
	} `yaml:"rate"`
	Priority    string `yaml:"priority"`
	OnUnknown   string `yaml:"on_unknown"`
	ReceiptWait string `yaml:"receipt_wait"`

	Schedule *Schedule `yaml:"schedule"`
	Caps     struct {
		PerContact *string `yaml:"per_contact"`
		BudgetINR  *string `yaml:"budget_inr"`
	} `yaml:"caps"`
}

// notBuilt are keys that the format has and this version cannot honour yet: ignoring one could send
// to people whom its author meant to spare.
var notBuilt = map[string]string{
	"steps.voice":      "only sms steps can run",
	"steps.call":       "only sms steps can run",
	"steps.sms.after":  "the only step starts at once",
	"steps.sms.when":   "the only step is for everybody",
	"steps.sms.routes": "name one route",
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Parse reads a campaign file. Every problem is reported at once, each with its line or key and the
// mend; the error is ErrInvalid.
func Parse(source []byte) (*Spec, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(source, &root); err != nil {
		return nil, invalid("campaign file: %s", yamlText(err))
	}
	if len(root.Content) == 0 {
		return nil, invalid("campaign file: it is empty; `pukar init` writes an example")
	}
	problems := unbuiltKeys(root.Content[0], "")
	if len(problems) > 0 {
		return nil, invalid("campaign file: %s", strings.Join(problems, "; "))
	}
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, invalid("campaign file: %s", yamlText(err))
	}
	spec, problems := f.check()
	if len(problems) > 0 {
		return nil, invalid("campaign file: %s", strings.Join(problems, "; "))
	}
	return spec, nil
}

func (f *file) check() (*Spec, []string) {
	var problems []string
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	spec := &Spec{
		Name:      f.Name,
		Purpose:   f.Purpose,
		Audience:  f.Audience,
		Window:    CourtesyWindow(),
		Rate:      f.Rate.PartsPerSecond,
		Priority:  cmp.Or(f.Priority, "normal"),
		OnUnknown: cmp.Or(f.OnUnknown, "hold"),
	}
	if !nameForm.MatchString(f.Name) {
		report("name: %q: use lower-case letters, digits, dots and hyphens, at most 63, such as onorc-bihar", f.Name)
	}
	if strings.TrimSpace(f.Purpose) == "" {
		report("purpose: missing: say in a few words what people are contacted for")
	}
	if len(f.Steps) != 1 || f.Steps[0].SMS == nil {
		report("steps: write exactly one step, such as `- sms: {template: onorc-intro, route: main}`")
	} else {
		spec.SMS = *f.Steps[0].SMS
		if spec.SMS.Template == "" {
			report("steps.sms.template: missing: name a template of `pukar template list`")
		}
		if spec.SMS.Route == "" {
			report("steps.sms.route: missing: name a route of `pukar route list`")
		}
	}
	if w := f.Window; w != nil {
		window, err := parseWindow(w.Days, w.From, w.To)
		if err != nil {
			report("window: %v", err)
		}
		window.Holidays = strings.Join(calendarNames(strings.Join(w.Holidays, ",")), ",")
		spec.Window = window
	}
	if r := f.Rate.PartsPerSecond; r < 0 || math.IsNaN(r) || math.IsInf(r, 0) {
		report("rate.parts_per_second: %v: write a number such as 50, not a negative one; 0 is no limit", r)
	}
	if !slices.Contains([]string{"urgent", "normal", "bulk"}, spec.Priority) {
		report("priority: %q: write urgent, normal or bulk", spec.Priority)
	}
	if !slices.Contains([]string{"hold", "resend"}, spec.OnUnknown) {
		report("on_unknown: %q: write hold (never twice) or resend (at least once)", spec.OnUnknown)
	}
	spec.Unfinished = cmp.Or(f.Unfinished, unfinishedContinue)
	if !slices.Contains([]string{unfinishedContinue, unfinishedEnd}, spec.Unfinished) {
		report("unfinished: %q: write continue (in the next window) or end (the rest is skipped)", spec.Unfinished)
	}
	wait, err := time.ParseDuration(cmp.Or(f.ReceiptWait, "72h"))
	if err != nil || wait <= 0 || wait > 30*day {
		report("receipt_wait: %q: write a time such as 72h, at most 720h", f.ReceiptWait)
	}
	spec.ReceiptWait = wait
	if f.Schedule != nil {
		schedule := f.Schedule.complete()
		_, wrong := schedule.timetable()
		problems = append(problems, wrong...)
		spec.Schedule = &schedule
	}
	if text := f.Caps.PerContact; text != nil {
		if spec.PerContact, err = parseCap(*text); err != nil {
			report("caps.per_contact: %v", err)
		}
	}
	if text := f.Caps.BudgetINR; text != nil {
		if spec.BudgetINR, err = templates.ParseRupees(*text); err != nil || spec.BudgetINR == 0 {
			report("caps.budget_inr: %q: write rupees such as 250000 or 1200.50", *text)
		}
	}
	a := f.Audience
	if a.Eligibility != "" && !slices.Contains([]string{"eligible", "unknown", "both"}, a.Eligibility) {
		report("audience.eligibility: %q: write eligible, unknown or both", a.Eligibility)
	}
	narrowed := a.Scheme != "" || len(a.Home) > 0 || len(a.Language) > 0 || a.Where != ""
	if !narrowed && !a.All {
		report("audience: it names nobody: give scheme, home, language or where; everyone is `all: true`")
	}
	if narrowed && a.All {
		report("audience.all: it contradicts the other keys of audience: remove one or the other")
	}
	return spec, problems
}

func parseWindow(days, from, to string) (Window, error) {
	var w Window
	var err error
	if w.Days, err = parseDays(cmp.Or(days, "mon-sat")); err != nil {
		return w, fmt.Errorf("days: %w", err)
	}
	if w.From, err = parseClock(cmp.Or(from, "10:00")); err != nil {
		return w, fmt.Errorf("from: %w", err)
	}
	if w.To, err = parseClock(cmp.Or(to, "19:00")); err != nil {
		return w, fmt.Errorf("to: %w", err)
	}
	if w.From >= w.To {
		return w, fmt.Errorf("from %s is not before to %s: a window lies within one day", clock(w.From), clock(w.To))
	}
	return w, nil
}

// unbuiltKeys walks the mapping and names every key of notBuilt with its line.
func unbuiltKeys(node *yaml.Node, path string) []string {
	var found []string
	switch node.Kind {
	case yaml.SequenceNode:
		for _, item := range node.Content {
			found = append(found, unbuiltKeys(item, path)...)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+node.Content[i].Value, ".")
			if mend, ok := notBuilt[key]; ok {
				found = append(found, fmt.Sprintf("line %d: %s is not built yet: %s", node.Content[i].Line, key, mend))
				continue
			}
			found = append(found, unbuiltKeys(node.Content[i+1], key)...)
		}
	}
	return found
}

var goType = regexp.MustCompile(` (not found )?in type [^\s;]+( \{.*\})?|into [^\s;]+$`)

// yamlText turns the YAML library's complaint into a sentence without Go's type names.
func yamlText(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.ReplaceAll(text, "unmarshal errors:\n  ", "")
	text = strings.ReplaceAll(text, "\n  ", "; ")
	text = strings.ReplaceAll(text, "field ", "unknown key ")
	text = goType.ReplaceAllString(text, "")
	if strings.Contains(text, "unknown key ") {
		text += ": `pukar init DIR` writes a file that explains every key"
	}
	return text
}
