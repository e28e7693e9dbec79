package smsc_test

import (
	"fmt"
	"log/slog"
	"time"

	"pukar/smpp/smsc"
)

// A centre for a test: one in ten messages fails, receipts take a second, and ids are hexadecimal in the response but decimal in
// the receipt.
func Example() {
	centre := smsc.New(smsc.Options{
		Credentials:  map[string]string{"foo": "bar"},
		ReceiptDelay: time.Second,
		FailRatio:    0.1,
		IDForm:       smsc.IDHexDecimal,
	}, slog.New(slog.DiscardHandler))
	if err := centre.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer centre.Close()
	// Have the client dial centre.Addr() here.
	fmt.Println(centre.Stats().Submits)
	// Output: 0
}
