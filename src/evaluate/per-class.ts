/** Figures of a class, in a list by the order of the classes. (A record would put classes that are called 10 or 7 first.) */
export type OfClass<Figures> = { readonly name: string } & Figures;
