// Package sample makes invented people and the example files of `pukar init`.
//
// The people are plausible and nobody's: names are drawn from short lists, and the numbers run on from 7000000001, which
// is a valid form but a run that no list has. Import them with audience.ImportOptions.Invented, so that they may only be
// sent to a simulator. The same seed gives the same people on every machine.
package sample
