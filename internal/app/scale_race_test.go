//go:build race

package app

import "time"

// Under the race detector everything takes several times as long, and more people would show nothing new.
const (
	recordPeople = 20_000
	stopTime     = 3 * time.Second
)
