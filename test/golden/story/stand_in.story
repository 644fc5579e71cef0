A node is away when a key of its own is written: the next healthy node of the preference list takes its copy,
with a hint that names it, and delivers it when it is back (paper 4.6). Nobody has to read the key.

> cluster 5
> owners k
n5, n2, n4
> crash n4
> wait 2000
> put n5 k one as=seen
ok
> hints n1
0
> hints n3
1

Two more owners go. Stand-ins coordinate now, and what they keep is read.

> crash n2
> crash n5
> wait 2000
> put n1 k two saw=seen
ok
> get n3 k
two

All are back: everything is delivered, and the stand-ins keep nothing.

> start n2
> start n4
> start n5
> wait 5000
> hints n1
0
> hints n3
0
> holds n1 k
nothing
> holds n5 k
two
> holds n4 k
two
