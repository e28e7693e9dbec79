//go:build race

package app

// recordPeople is the size of the run whose report is held to the centre's record: under the race
// detector everything takes several times as long, and more people would show nothing new.
const recordPeople = 20_000
