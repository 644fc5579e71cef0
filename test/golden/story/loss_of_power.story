What was acknowledged is on the disks of W nodes: all of them may lose power at once.

> cluster 3
> put n1 k kept
ok
> crash n1
> crash n2
> crash n3
> start n1
> start n2
> start n3
> wait 3000
> get n2 k
kept
