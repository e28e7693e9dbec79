package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write makes a configuration file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pukar.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// route is the shortest route in YAML's flow style.
func route(name string) string {
	return fmt.Sprintf("[{name: %s, binds: [{addr: 'smsc.example.net:2775', system_id: pukar}]}]", name)
}

// TestPrecedence goes through every key: default < file < environment < flag.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	secretFile := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	routes := func(c *Config) any {
		if len(c.Routes) == 0 {
			return ""
		}
		return c.Routes[0].Name
	}
	tested := map[string]bool{}
	for _, tt := range []struct {
		key             string
		file, env, flag any
		get             func(*Config) any
		byDefault       any
		want            [3]any // with the file; also the environment; also the flag
	}{
		{"home", "/a", "/b", "/c", func(c *Config) any { return c.Home }, defaultHome(), [3]any{"/a", "/b", "/c"}},
		{"database_url", "postgres://a/x", "postgres://b/x", "postgres://c/x", func(c *Config) any { return c.DatabaseURL.Reveal() }, "", [3]any{"postgres://a/x", "postgres://b/x", "postgres://c/x"}},
		{"database_url_file", secretFile("postgres://a/x"), secretFile("postgres://b/x"), secretFile("postgres://c/x"), func(c *Config) any { return c.DatabaseURL.Reveal() }, "", [3]any{"postgres://a/x", "postgres://b/x", "postgres://c/x"}},
		{"redis_url", "redis://a", "redis://b", "redis://c", func(c *Config) any { return c.RedisURL.Reveal() }, "", [3]any{"redis://a", "redis://b", "redis://c"}},
		{"redis_url_file", secretFile("redis://a"), secretFile("redis://b"), secretFile("redis://c"), func(c *Config) any { return c.RedisURL.Reveal() }, "", [3]any{"redis://a", "redis://b", "redis://c"}},
		{"key_file", "/a", "/b", "/c", func(c *Config) any { return c.KeyFile }, filepath.Join(defaultHome(), "key"), [3]any{"/a", "/b", "/c"}},
		{"socket", "/a", "/b", "/c", func(c *Config) any { return c.Socket }, filepath.Join(defaultHome(), "pukar.sock"), [3]any{"/a", "/b", "/c"}},
		{"approval", "''", "required", "", func(c *Config) any { return c.Approval }, "", [3]any{"", "required", ""}},
		{"metrics_addr", "127.0.0.1:9464", "[::1]:9465", "10.0.0.1:9466", func(c *Config) any { return c.MetricsAddr }, "", [3]any{"127.0.0.1:9464", "[::1]:9465", "10.0.0.1:9466"}},
		{"log_format", "json", "text", "json", func(c *Config) any { return c.LogFormat }, "text", [3]any{"json", "text", "json"}},
		{"log_level", "debug", "warn", "error", func(c *Config) any { return c.LogLevel }, "info", [3]any{"debug", "warn", "error"}},
		{"routes", route("a"), route("b"), route("c"), routes, "", [3]any{"a", "b", "c"}},
		{"test_numbers", "[919800000001]", "9800000002,+919800000003", []string{"09800000004"}, func(c *Config) any { return strings.Join(c.TestNumbers, " ") }, "", [3]any{"919800000001", "919800000002 919800000003", "919800000004"}},
		{"inbound", "[{number: 56761}]", "[{number: 56762}]", "[{number: 56763}]", func(c *Config) any {
			if len(c.Inbound) == 0 {
				return ""
			}
			return c.Inbound[0].Number
		}, "", [3]any{"56761", "56762", "56763"}},
		{"soft_stop_timeout", "1s", "2s", 3 * time.Second, func(c *Config) any { return c.SoftStopTimeout }, defaultSoftStop, [3]any{time.Second, 2 * time.Second, 3 * time.Second}},
		{"roles", "[api]", "scheduler, api", []string{"smpp"}, func(c *Config) any { return strings.Join(c.Roles, " ") }, "api scheduler worker smpp", [3]any{"api", "scheduler api", "smpp"}},
	} {
		t.Run(tt.key, func(t *testing.T) {
			t.Parallel()
			load := func(text string, env []string, flags map[string]any) any {
				c, err := Load(write(t, text), env, flags)
				if err != nil {
					t.Fatal(err)
				}
				return tt.get(c)
			}
			text := fmt.Sprintf("%s: %v\n", tt.key, tt.file)
			env := []string{fmt.Sprintf("PUKAR_%s=%v", strings.ToUpper(tt.key), tt.env)}
			got := [4]any{
				load("", nil, map[string]any{tt.key: nil}),
				load(text, nil, nil),
				load(text, env, nil),
				load(text, env, map[string]any{tt.key: tt.flag}),
			}
			want := [4]any{tt.byDefault, tt.want[0], tt.want[1], tt.want[2]}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
		tested[tt.key] = true
	}
	for key := range keysOf() {
		if !tested[key] {
			t.Errorf("no case for the key %s", key)
		}
	}
}

func TestRouteDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, "routes: "+route("main")), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []Route{{
		Name: "main", InrPerPart: "0", Receipts: true, SourceTON: 5, DestTON: 1, DestNPI: 1,
		DLT:    DLT{Tags: Tags{EntityID: 0x1400, TemplateID: 0x1401, Chain: 0x1402}},
		Centre: "pukar@smsc.example.net:2775", Validity: "relative",
		Binds: []Bind{{
			Name: "main-1", Addr: "smsc.example.net:2775", SystemID: "pukar", Type: "transceiver",
			Window: 10, ResponseTimeout: 10 * time.Second, EnquireInterval: 30 * time.Second,
		}},
	}}
	if diff := cmp.Diff(want, c.Routes); diff != "" {
		t.Error(diff)
	}
	if _, found := c.Route("main"); !found {
		t.Error("route main is not found")
	}
	if _, found := c.Route("other"); found {
		t.Error("route other is found")
	}
}

// TestScalarsStayAsWritten guards against numbers that YAML would change.
func TestScalarsStayAsWritten(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, `
routes:
  - name: main
    inr_per_part: 0.1450
    simulated: yes
    dlt: {entity_id: 1101172974420810001, chain: [1102172974420810001], tags: {chain: 0x1500}}
    binds: [{addr: "[::1]:2775", system_id: 0123, password: 007, window: 500, parts_per_second: 12.5}]
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Routes[0]
	got := []any{r.InrPerPart, r.Simulated, r.DLT, r.Binds[0].SystemID, r.Binds[0].Password.Reveal(), r.Binds[0].Window, r.Binds[0].PartsPerSecond}
	want := []any{"0.1450", true, DLT{EntityID: "1101172974420810001", Chain: []string{"1102172974420810001"}, Tags: Tags{0x1400, 0x1401, 0x1500}}, "0123", "007", 500, 12.5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		env        []string
		flags      map[string]any
		want       []string
	}{
		{
			name: "all at once, with line, key and mend",
			text: `
aproval: required
soft_stop_timeout: 30
roles: [api, voice, worker]
routes:
  - name: Main
    inr_per_part: 14 paise
    parts_per_second: -1
    receipts: maybe
    binds:
      - {addr: localhost, system_id: pukar, windw: 20}
  - name: other
`,
			want: []string{
				"pukar.yaml:2: aproval: unknown key: did you mean approval?",
				"pukar.yaml:4: roles: worker sends through the binds of its own process: add smpp",
				"pukar.yaml:4: roles[1]: voice is not built yet: leave it out",
				`pukar.yaml:11: routes[0].binds[0].addr: "localhost" is not an address: write host:port, such as smsc.example.net:2775`,
				"pukar.yaml:11: routes[0].binds[0].windw: unknown key: did you mean window?",
				`pukar.yaml:7: routes[0].inr_per_part: "14 paise" is not a price: write rupees as a decimal, such as "0.1450"`,
				`pukar.yaml:6: routes[0].name: "Main" is not a name: lower-case letters, digits, - and _, at most 40`,
				"pukar.yaml:8: routes[0].parts_per_second: -1 is out of range: 0 (no limit) to 1000000 parts a second",
				`pukar.yaml:9: routes[0].receipts: "maybe" is neither true nor false`,
				"routes[1].binds: the route has no bind: give at least one with addr and system_id",
				`pukar.yaml:3: soft_stop_timeout: "30" is not a duration: write a number with its unit, such as 500ms, 30s or 5m`,
			},
		},
		{
			name: "names used twice",
			text: `
routes:
  - {name: a, binds: [{name: x, addr: "h:1", system_id: s}]}
  - {name: a, binds: [{name: x, addr: "h:1", system_id: s}]}
inbound: [{number: "567"}, {number: "567"}, {number: "568", route: b}]
`,
			want: []string{
				"pukar.yaml:5: inbound[1]: number 567 is there already for this route: keep one",
				`pukar.yaml:5: inbound[2].route: unknown route "b": known are a`,
				"pukar.yaml:4: routes[1].binds[0].name: bind x is there already, at routes[0].binds[0].name: choose another name",
				"pukar.yaml:4: routes[1].name: route a is there already, at routes[0].name: choose another name",
			},
		},
		{
			name: "what operators gave, mistyped",
			text: `
routes:
  - name: a
    header: HELPLINE-BIHAR
    dlt: {entity_id: 11, chain: [x], tags: {template_id: 0x10, chain: 0x1400}}
    binds: [{addr: "h:1", password: "123456789", type: both, window: 0, response_timeout: 1h}]
`,
			want: []string{
				`pukar.yaml:6: routes[0].binds[0].password: it has 9 octets: SMPP allows 8`,
				`pukar.yaml:6: routes[0].binds[0].response_timeout: 1h0m0s is out of range: 100ms to 10m0s`,
				`routes[0].binds[0].system_id: it is missing: the operator gives it`,
				`pukar.yaml:6: routes[0].binds[0].type: "both" is unknown: known are transceiver, transmitter, receiver`,
				`pukar.yaml:6: routes[0].binds[0].window: 0 is out of range: 1 to 10000 submits`,
				`pukar.yaml:5: routes[0].dlt.chain[0]: "x" is not a DLT id: 19 digits are expected`,
				`pukar.yaml:5: routes[0].dlt.entity_id: "11" is not a DLT id: 19 digits are expected`,
				`routes[0].dlt.tags.entity_id: tag 0x1400 is used by chain already`,
				`pukar.yaml:5: routes[0].dlt.tags.template_id: 0x10 is not a vendor tag: 0x1400 to 0x3FFF`,
				`pukar.yaml:4: routes[0].header: "HELPLINE-BIHAR" cannot be a sender: up to 11 letters and digits, or up to 20 digits`,
			},
		},
		{
			name:  "environment and flags",
			env:   []string{"PUKAR_ROLE=api", "PUKAR_REDIS_URL=localhost:6379", "PUKAR_ROLES=api,api", "PUKAR_INBOUND=[{"},
			flags: map[string]any{"test_numbers": "12345", "colour": "red"},
			want: []string{
				"--colour: colour: unknown key: known are approval, database_url, database_url_file, home, inbound, key_file, log_format, log_level, metrics_addr, redis_url, redis_url_file, roles, routes, socket, soft_stop_timeout, test_numbers",
				"PUKAR_INBOUND: inbound: PUKAR_INBOUND: yaml: line 1: did not find expected node content",
				"PUKAR_REDIS_URL: redis_url: not an address that is understood: it begins with redis://, rediss://, unix://, redis-socket://, redis-sentinel://, redis-cluster://",
				"PUKAR_ROLE: role: unknown key: did you mean roles?",
				"PUKAR_ROLES: roles[1]: role api is given twice",
				"--test-numbers: test_numbers[0]: not an Indian mobile number: write it as 919812345678",
			},
		},
		{
			name: "shapes",
			text: "routes: main\nhome: [a]\nroles: {a: b}\ninbound: [x]\napproval: later\nsoft_stop_timeout: 2h\n",
			want: []string{
				`pukar.yaml:5: approval: "later" is unknown: write required, or leave the key out`,
				"pukar.yaml:2: home: a single value is expected",
				"pukar.yaml:4: inbound[0]: a mapping of keys to values is expected",
				`pukar.yaml:3: roles: a list is expected: write [a, b] or one "- …" a line`,
				`pukar.yaml:1: routes: a list is expected: write [a, b] or one "- …" a line`,
				"pukar.yaml:6: soft_stop_timeout: 2h0m0s is out of range: more than 0s and at most 1h",
			},
		},
		{
			name: "secret and its file",
			text: "database_url: postgres://h/d\ndatabase_url_file: /nowhere\nredis_url_file: /nowhere\n",
			want: []string{
				"pukar.yaml:2: database_url_file: both database_url and database_url_file are given: keep one",
				"pukar.yaml:3: redis_url_file: open /nowhere: no such file or directory",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(write(t, tt.text), tt.env, tt.flags)
			var invalid *InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want an InvalidError", err)
			}
			var got []string
			for _, p := range invalid.Problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, p := range got {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("the error's text lacks %q", p)
				}
			}
		})
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not YAML": "routes: [", "a list": "- a", "a text": "hello",
		"a key twice":   "approval: required\napproval: required",
		"endless alias": "routes: &a [*a]",
	} {
		if _, err := Load(write(t, text), nil, nil); err == nil {
			t.Errorf("%s: no error", name)
		} else if !strings.Contains(err.Error(), "pukar.yaml") {
			t.Errorf("%s: %q does not name the file", name, err)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a named file that is absent gives %v", err)
	}
	home := t.TempDir()
	if c, err := Load("", nil, map[string]any{"home": home}); err != nil || c.File != "" {
		t.Errorf("a home without a file gives %v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(home, "pukar.yaml"), []byte("approval: required"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("", []string{"PUKAR_HOME=" + home}, nil)
	if err != nil || !c.ApprovalRequired() || c.File != filepath.Join(home, "pukar.yaml") {
		t.Errorf("the file in the home is not read: %v, %v", c, err)
	}
}

func TestForeignVariables(t *testing.T) {
	t.Parallel()
	env := []string{
		"PATH=/bin", "PUKAR=1", "PUKAR_TEST_DATABASE_URL=x", "PUKAR_TEST_REDIS_URL=x", "PUKAR_CONFIG=x", "PUKAR_APPROVAL=",
		"PUKAR_SERVICE_HOST=10.0.0.1", "PUKAR_SERVICE_PORT=80", "PUKAR_SERVICE_PORT_HTTP=80", "PUKAR_PORT=tcp://10.0.0.1:80",
		"PUKAR_PORT_80_TCP=tcp://10.0.0.1:80", "PUKAR_PORT_80_TCP_ADDR=10.0.0.1", "PUKAR_API_SERVICE_HOST=10.0.0.1",
	}
	if _, err := Load(write(t, ""), env, nil); err != nil {
		t.Error(err)
	}
}

func TestPasswordFile(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("s3cret\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(write(t, fmt.Sprintf("routes: [{name: a, binds: [{addr: 'h:1', system_id: s, password_file: %s}]}]", secret)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Routes[0].Binds[0].Password.Reveal(); got != "s3cret" {
		t.Errorf("password %q", got)
	}
}

func TestSecretStaysHidden(t *testing.T) {
	t.Parallel()
	c := Config{DatabaseURL: "postgres://u:s3cret@h/d", Routes: []Route{{Binds: []Bind{{Password: "s3cret"}}}}}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "url", c.DatabaseURL, "config", c)
	for _, shown := range []string{string(text), fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%s %q", c.DatabaseURL, c.DatabaseURL), logged.String()} {
		if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "***") {
			t.Errorf("shows %s", shown)
		}
	}
	if Secret("").String() != "" {
		t.Error("an empty secret looks as if it was set")
	}
}

func TestExample(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, Example), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Routes) != 1 || !c.Routes[0].Simulated {
		t.Errorf("the example has the routes %+v", c.Routes)
	}
}

func TestHome(t *testing.T) {
	t.Setenv("PUKAR_HOME", "/srv/pukar")
	if got := Home(); got != "/srv/pukar" {
		t.Errorf("Home() = %s", got)
	}
	t.Setenv("PUKAR_HOME", "")
	if got := Home(); got != defaultHome() {
		t.Errorf("Home() = %s", got)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("routes: [{name: a}]")
	f.Add(Example)
	f.Add("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f]")
	f.Add("a: &x [*x]\nb: {<<: *x}")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(write(t, text), nil, nil)
		if (c == nil) == (err == nil) {
			t.Errorf("both or neither of %v and %v", c, err)
		}
	})
}
