/*
 * The data of botocore and boto3: a directory for each AWS service.
 *
 * "botocore/data/s3/2006-03-01/service-2.json.gz", "boto3/data/s3/…". What lies
 * beside the directories (endpoints.json, partitions.json, _retry.json,
 * sdk-default-configuration.json) is read for every client (botocore/session.py,
 * botocore/loaders.py). examples-1.json is read by botocore/docs alone.
 */
#include <string.h>

#include "prune/prune.h"

/* What stands behind "botocore/data/" in path, or NULL. */
static const char *data_of(const char *path)
{
	static const char *const homes[] = {"botocore/data/", "boto3/data/"};

	for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
		const char *at = strstr(path, homes[i]);

		if (at && (at == path || at[-1] == '/'))
			return at + strlen(homes[i]);
	}
	return NULL;
}

static bool is_wanted(const struct prune_options *options, const char *service, size_t n)
{
	for (size_t i = 0; i < options->nr_services; i++)
		if (strlen(options->services[i]) == n && !memcmp(options->services[i], service, n))
			return true;
	return false;
}

bool sdk_is_unwanted(const struct prune_options *options, const char *path)
{
	const char *service = data_of(path), *slash = service ? strchr(service, '/') : NULL;

	return slash &&
	       (!is_wanted(options, service, (size_t)(slash - service)) || strstr(slash, "/examples-1.json"));
}

int sdk_check_services(const struct layer *layer, const struct prune_options *options, struct error *err)
{
	for (size_t i = 0; i < options->nr_services; i++) {
		size_t n = strlen(options->services[i]), k;

		for (k = 0; k < layer->nr_files; k++) {
			const char *service = data_of(layer->files[k].path);

			if (service && !strncmp(service, options->services[i], n) && service[n] == '/')
				break;
		}
		if (k == layer->nr_files)
			return error_add(err, ERROR_USAGE,
					 "--botocore-services: there is no botocore/data/%s in %s",
					 options->services[i], layer->root);
	}
	return 0;
}
