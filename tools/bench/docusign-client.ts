/** How the service is registered at the bench's DocuSign. */
export const CLIENT = { clientId: "bench", clientSecret: "bench" };
