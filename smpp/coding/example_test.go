package coding_test

import (
	"fmt"
	"strings"

	"pukar/smpp/coding"
)

func ExampleEncode() {
	text := strings.Repeat("पुकार ", 20)
	encoded := coding.Encode(text, coding.Reference(-5550123, 42))
	for _, payload := range encoded.Payloads {
		part, concat, err := coding.Decode(encoded.DataCoding, encoded.UDHI, payload)
		fmt.Println(concat.Sequence, "of", concat.Total, len(payload), strings.HasSuffix(part, "पुकार "), err)
	}
	// Output:
	// 1 of 2 139 true <nil>
	// 2 of 2 115 true <nil>
}
