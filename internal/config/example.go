package config

import _ "embed"

// Example is a commented configuration that sends to a simulator on this machine.
//
//go:embed example.yaml
var Example string
