package audience_test

import (
	"fmt"
	"time"

	"pukar/audience"
)

func ExampleMatchKeyword() {
	for _, text := range []string{"STOP", "बंद करो।", "bus stop kahan hai?", "Shuru"} {
		fmt.Println(audience.MatchKeyword(text))
	}
	// Output:
	// stop
	// stop
	// none
	// start
}

func ExampleCompile() {
	cohort := audience.Cohort{Home: []string{"BR"}, Where: "occupation == 'construction' && !epfo_member"}
	predicate, err := audience.Compile(cohort, nil, nil, time.Now(), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("SELECT c.id FROM contact c WHERE " + predicate.Eligible())
	fmt.Println(predicate.Args...)
	// Output:
	// SELECT c.id FROM contact c WHERE ((c.home_state = $1::int2) AND ((c.occupation = $2::text) AND (NOT c.epfo_member)))
	// 10 construction
}

func ExampleParseRule() {
	_, err := audience.ParseRule("agee >= 18")
	fmt.Println(err)
	// Output:
	// rule "agee >= 18": column 1: unknown field "agee": did you mean age? A column of your own is attributes.agee
}
