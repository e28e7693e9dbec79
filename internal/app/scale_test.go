//go:build !race

package app

// recordPeople is the size of the run whose report is held to the centre's record.
const recordPeople = 100_000
