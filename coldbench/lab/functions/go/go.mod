module coldbench/functions

go 1.19
