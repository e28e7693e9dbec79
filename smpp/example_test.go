package smpp_test

import (
	"context"
	"fmt"
	"time"

	"pukar/smpp"
	"pukar/smpp/pdu"
	"pukar/smpp/smsc"
)

// One message over one bind: the outcome comes through Done, and its receipt as a delivery, which is acknowledged once it is safe.
func Example() {
	centre := smsc.New(smsc.Options{IDForm: smsc.IDDecimal}, discard)
	if err := centre.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer centre.Close()

	receipts := make(chan smpp.Receipt, 1)
	bind := smpp.NewBind(smpp.BindConfig{Name: "main-1", Addr: centre.Addr(), SystemID: "foo", Password: "bar", Window: 10},
		func(d *smpp.Delivery) {
			if r, ok := smpp.ParseReceipt(&d.Message); ok {
				receipts <- r
			}
			d.Ack(pdu.StatusOK)
		}, discard)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- bind.Run(ctx) }()

	results := make(chan smpp.Result, 1)
	route := smpp.NewRoute("main", bind)
	way, ok := route.Pick()
	for ; !ok; way, ok = route.Pick() {
		<-time.After(time.Millisecond)
	}
	way.Send(ctx, &smpp.Batch{
		Parts: []smpp.Part{{Message: pdu.SubmitSM{
			SourceTON: pdu.TONAlphanumeric, Source: "HELPLN", DestTON: pdu.TONInternational, DestNPI: pdu.NPIISDN,
			Destination: "919812345678", RegisteredDelivery: pdu.RegisteredBoth, ShortMessage: []byte("Namaste"),
		}}},
		SendBy: time.Now().Add(time.Second),
		Done:   func(_ int, r smpp.Result) { results <- r },
	})
	fmt.Println((<-results).Outcome)
	fmt.Println((<-receipts).Final)

	if err := bind.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-ended, bind.Status().State)
	// Output:
	// accepted
	// delivered
	// <nil> closed
}
