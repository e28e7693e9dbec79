package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	decimalPattern = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,6})?$`)
	headerPattern  = regexp.MustCompile(`^[A-Za-z0-9-]{1,11}$|^[0-9]{1,20}$`)
	dltPattern     = regexp.MustCompile(`^[0-9]{19}$`)
	mobilePattern  = regexp.MustCompile(`^(?:\+?91|0)?([6-9][0-9]{9})$`)
	errorPattern   = regexp.MustCompile(`^[0-9A-Za-z]{1,10}$`)
	codePattern    = regexp.MustCompile(`^[0-9]{3,15}$`)
)

const (
	maxRate    = 1_000_000
	maxWindow  = 10_000
	maxTimeout = 10 * time.Minute
)

// at reports a problem with a key that may or may not have been given. What could not even be read is told once only.
func (d *decoder) at(path, format string, args ...any) {
	for _, p := range d.problems {
		if rest, below := strings.CutPrefix(path, p.Key); below && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return
		}
	}
	d.problem(d.places[path], path, format, args...)
}

// validate checks the whole configuration and puts what it accepts into its one written form.
func (d *decoder) validate(c *Config) {
	if c.Approval != "" && c.Approval != approvalRequired {
		d.at("approval", "%q is unknown: write required, or leave the key out", c.Approval)
	}
	if c.SoftStopTimeout <= 0 || c.SoftStopTimeout > time.Hour {
		d.at("soft_stop_timeout", "%s is out of range: more than 0s and at most 1h", c.SoftStopTimeout)
	}
	d.validateURL("database_url", c.DatabaseURL, true, "postgres", "postgresql")
	d.validateURL("redis_url", c.RedisURL, false, "redis", "rediss", "unix", "redis-socket", "redis-sentinel", "redis-cluster")
	d.validateRoles(c.Roles)
	d.validateWatching(c)
	d.validateRoutes(c.Routes)
	for i, number := range c.TestNumbers {
		match := mobilePattern.FindStringSubmatch(strings.NewReplacer(" ", "", "-", "").Replace(number))
		if match == nil {
			d.at(fmt.Sprintf("test_numbers[%d]", i), "not an Indian mobile number: write it as 919812345678")
			continue
		}
		c.TestNumbers[i] = "91" + match[1]
	}
	d.validateInbound(c)
}

// validateURL checks the scheme of an address without ever showing the address.
func (d *decoder) validateURL(key string, address Secret, keyValues bool, schemes ...string) {
	text := address.Reveal()
	if text == "" || keyValues && !strings.Contains(text, "://") && strings.Contains(text, "=") {
		return
	}
	scheme, _, found := strings.Cut(text, "://")
	if !found || !slices.Contains(schemes, scheme) {
		d.at(key, "not an address that is understood: it begins with %s", strings.Join(schemes, "://, ")+"://")
		return
	}
	// Sentinel and cluster addresses list several hosts, which net/url does not read.
	if _, err := url.Parse(text); err != nil && scheme != "redis-sentinel" && scheme != "redis-cluster" {
		d.at(key, "the address cannot be read: are special characters in the password written as %%40 and the like?")
	}
}

func (d *decoder) validateRoles(roles []string) {
	if len(roles) == 0 {
		d.at("roles", "no role is left: known are %s", strings.Join(AllRoles(), ", "))
	}
	for i, role := range roles {
		path := fmt.Sprintf("roles[%d]", i)
		switch {
		case role == "voice":
			d.at(path, "voice is not built yet: leave it out")
		case !slices.Contains(AllRoles(), role):
			d.at(path, "unknown role %q: known are %s", role, strings.Join(AllRoles(), ", "))
		case slices.Index(roles, role) < i:
			d.at(path, "role %s is given twice", role)
		}
	}
	if slices.Contains(roles, RoleWorker) && !slices.Contains(roles, RoleSMPP) {
		d.at("roles", "worker sends through the binds of its own process: add smpp")
	}
}

func (d *decoder) validateRoutes(routes []Route) {
	names, binds := map[string]string{}, map[string]string{}
	for i := range routes {
		r, path := &routes[i], fmt.Sprintf("routes[%d]", i)
		d.unique(names, r.Name, path+".name", "route")
		d.rate(r.PartsPerSecond, path+".parts_per_second")
		if !decimalPattern.MatchString(r.InrPerPart) {
			d.at(path+".inr_per_part", "%q is not a price: write rupees as a decimal, such as \"0.1450\"", r.InrPerPart)
		}
		if r.Header != "" && !headerPattern.MatchString(r.Header) {
			d.at(path+".header", "%q cannot be a sender: up to 11 letters and digits, or up to 20 digits", r.Header)
		}
		for key, value := range map[string]int{"source_ton": r.SourceTON, "source_npi": r.SourceNPI, "dest_ton": r.DestTON, "dest_npi": r.DestNPI} {
			d.octet(value, path+"."+key)
		}
		d.validateDLT(&r.DLT, path+".dlt")
		d.validateErrorCodes(r.ErrorCodes, path+".error_codes")
		d.validateValidity(r.Validity, path+".validity")
		if len(r.Binds) == 0 {
			d.at(path+".binds", "the route has no bind: give at least one with addr and system_id")
		}
		for j := range r.Binds {
			at := fmt.Sprintf("%s.binds[%d]", path, j)
			d.unique(binds, r.Binds[j].Name, at+".name", "bind")
			d.validateBind(&r.Binds[j], at)
		}
	}
}

// unique checks a name and that it is the first of its kind.
func (d *decoder) unique(seen map[string]string, name, path, kind string) {
	_, given := d.places[path]
	switch {
	case name == "":
		d.at(path, "the %s has no name: give one", kind)
	case given && !namePattern.MatchString(name): // one that was made from another name is judged there
		d.at(path, "%q is not a name: lower-case letters, digits, - and _, at most 40", name)
	case seen[name] != "":
		d.at(path, "%s %s is there already, at %s: choose another name", kind, name, seen[name])
	default:
		seen[name] = path
	}
}

func (d *decoder) rate(rate float64, path string) {
	if rate < 0 || rate > maxRate {
		d.at(path, "%s is out of range: 0 (no limit) to %d parts a second", strconv.FormatFloat(rate, 'f', -1, 64), maxRate)
	}
}

func (d *decoder) octet(value int, path string) {
	if value < 0 || value > 255 {
		d.at(path, "%d is out of range: 0 to 255", value)
	}
}

func (d *decoder) validateDLT(dlt *DLT, path string) {
	ids := map[string]string{"entity_id": dlt.EntityID, "telemarketer_id": dlt.TelemarketerID}
	for i, id := range dlt.Chain {
		ids[fmt.Sprintf("chain[%d]", i)] = id
		if id == "" {
			d.at(fmt.Sprintf("%s.chain[%d]", path, i), "an empty id: leave it out")
		}
	}
	for _, key := range sorted(ids) {
		if id := ids[key]; id != "" && !dltPattern.MatchString(id) {
			d.at(path+"."+key, "%q is not a DLT id: 19 digits are expected", id)
		}
	}
	tags := map[string]int{"entity_id": dlt.Tags.EntityID, "template_id": dlt.Tags.TemplateID, "chain": dlt.Tags.Chain}
	seen := map[int]string{}
	for _, key := range sorted(tags) {
		tag, at := tags[key], path+".tags."+key
		if tag < 0x1400 || tag > 0x3FFF {
			d.at(at, "0x%X is not a vendor tag: 0x1400 to 0x3FFF", tag)
		} else if seen[tag] != "" {
			d.at(at, "tag 0x%X is used by %s already", tag, seen[tag])
		}
		seen[tag] = key
	}
}

func (d *decoder) validateValidity(form, path string) {
	if !slices.Contains([]string{ValidityRelative, ValidityAbsolute, ValidityNone}, form) {
		d.at(path, "%q is unknown: known are relative, absolute, none", form)
	}
}

func (d *decoder) validateErrorCodes(codes map[string]string, path string) {
	classes := []string{ErrorConfiguration, ErrorPermanent, ErrorTransient}
	for _, code := range sorted(codes) {
		if !errorPattern.MatchString(code) {
			d.at(path+"."+code, "%q is not an error code: write it in quotes as receipts have it, such as \"650\"", code)
		}
		if !slices.Contains(classes, codes[code]) {
			d.at(path+"."+code, "%q is unknown: known are %s", codes[code], strings.Join(classes, ", "))
		}
	}
}

func (d *decoder) validateBind(b *Bind, path string) {
	if host, port, err := net.SplitHostPort(b.Addr); err != nil || host == "" || port == "" {
		d.at(path+".addr", "%q is not an address: write host:port, such as smsc.example.net:2775", b.Addr)
	}
	if b.SystemID == "" {
		d.at(path+".system_id", "it is missing: the operator gives it")
	}
	// The longest that SMPP 3.4 allows in a bind, less the closing zero (section 4.1).
	for key, field := range map[string]struct {
		length, limit int
	}{
		"system_id":     {len(b.SystemID), 15},
		"password":      {len(b.Password), 8},
		"system_type":   {len(b.SystemType), 12},
		"address_range": {len(b.AddressRange), 40},
	} {
		if field.length > field.limit {
			d.at(path+"."+key, "it has %d octets: SMPP allows %d", field.length, field.limit)
		}
	}
	if !slices.Contains([]string{Transceiver, Transmitter, Receiver}, b.Type) {
		d.at(path+".type", "%q is unknown: known are transceiver, transmitter, receiver", b.Type)
	}
	if b.Window < 1 || b.Window > maxWindow {
		d.at(path+".window", "%d is out of range: 1 to %d submits", b.Window, maxWindow)
	}
	d.rate(b.PartsPerSecond, path+".parts_per_second")
	for key, length := range map[string]time.Duration{"response_timeout": b.ResponseTimeout, "enquire_interval": b.EnquireInterval} {
		if length < 100*time.Millisecond || length > maxTimeout {
			d.at(path+"."+key, "%s is out of range: 100ms to %s", length, maxTimeout)
		}
	}
	d.octet(b.AddrTON, path+".addr_ton")
	d.octet(b.AddrNPI, path+".addr_npi")
}

func (d *decoder) validateInbound(c *Config) {
	seen := map[[2]string]bool{}
	for i, in := range c.Inbound {
		path := fmt.Sprintf("inbound[%d]", i)
		if !codePattern.MatchString(in.Number) {
			d.at(path+".number", "%q is not a number: 3 to 15 digits as the message centre writes them", in.Number)
		}
		if _, known := c.Route(in.Route); in.Route != "" && !known {
			var names []string
			for _, r := range c.Routes {
				names = append(names, r.Name)
			}
			d.at(path+".route", "unknown route %q: known are %s", in.Route, strings.Join(slices.Compact(names), ", "))
		}
		key := [2]string{in.Number, in.Route}
		if seen[key] {
			d.at(path, "number %s is there already for this route: keep one", in.Number)
		}
		seen[key] = true
	}
}
