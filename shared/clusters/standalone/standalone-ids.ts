/**
 * Source: apache/spark core/…/deploy/master/Master.scala, newApplicationId and newDriverId: the
 * time in 14 digits, and a number of at least 4. Since 4.0 the patterns can be configured otherwise
 * (spark.deploy.appIdPattern); such ids are not acted on.
 */
export function isStandaloneApplicationId(id: string): boolean {
  return /^app-\d{14}-\d{4,10}$/.test(id);
}

export function isDriverId(id: string): boolean {
  return /^driver-\d{14}-\d{4,10}$/.test(id);
}
