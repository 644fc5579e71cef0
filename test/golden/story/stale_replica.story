A node that was away is brought up to date by the reads that follow, after their answers (paper 5). Nobody
keeps hints here; with them it needs no read: stand_in.story.

> cluster 3 hints=0
> put n1 k old as=seen
ok
> wait 1000
> kill n3
> wait 1000
> put n1 k new saw=seen
ok

n3 is back with what it had. A read that asks the other two is answered, then n3 gets what it lacks.

> start n3
> wait 2000
> holds n3 k
old
> get n1 k
new
> wait 1000
> holds n3 k
new
