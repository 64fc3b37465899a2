module coldbench/shims

go 1.19
