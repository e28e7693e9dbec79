package api

const (
	// ManifestTrailer is the trailer of a delivery report that holds its manifest.
	ManifestTrailer = "Pukar-Manifest"
	// ProblemTrailer is the trailer of a delivery report whose rows do not add up.
	ProblemTrailer = "Pukar-Problem"
)
