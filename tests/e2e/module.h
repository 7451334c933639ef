/* Makes a library what Python opens by its path, and so nobody's copy. */
void *PyInit_module(void);
void *PyInit_module(void)
{
	return 0;
}
