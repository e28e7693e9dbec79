package config

import "log/slog"

// Secret is a text that must not be shown: a password or an address that carries one.
type Secret string

const masked = "***"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String hides a secret that is set, whatever prints it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
