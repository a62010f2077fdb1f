// The same series as the others' in growth.py, from Go's client library, made anew for each scrape.
//
// Its arguments are the numbers of devices and of families; it prints the port that it answers on.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type fleet struct {
	devices  int
	families []*prometheus.Desc
}

func (f fleet) Describe(descriptions chan<- *prometheus.Desc) {
	for _, each := range f.families {
		descriptions <- each
	}
}

func (f fleet) Collect(metrics chan<- prometheus.Metric) {
	for number, description := range f.families {
		for device := 0; device < f.devices; device++ {
			value := float64((device*7919+number*104729)%1000003) / 10
			plant := "NE=" + strconv.Itoa(33000000+device/10)
			metrics <- prometheus.MustNewConstMetric(
				description, prometheus.GaugeValue, value,
				"home", plant, strconv.Itoa(1000000000000000+device))
		}
	}
}

func main() {
	devices, _ := strconv.Atoi(os.Args[1])
	count, _ := strconv.Atoi(os.Args[2])
	made := fleet{devices: devices}
	for number := 0; number < count; number++ {
		name := fmt.Sprintf("fusionsolar_inverter_quantity_%d_watts", number)
		labels := []string{"account", "plant_code", "device_id"}
		made.families = append(made.families, prometheus.NewDesc(name, "A quantity of an inverter.", labels, nil))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(made)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
}
