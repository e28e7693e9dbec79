//go:build !race

package app

import "time"

const (
	// recordPeople is the size of the run whose report is held to the centre's record.
	recordPeople = 100_000

	// stopTime is within what a stop has to be in force.
	stopTime = time.Second
)
