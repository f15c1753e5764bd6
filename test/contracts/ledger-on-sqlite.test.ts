import { openLedger } from '../../shared/stores/sql/open-ledger.ts';
import { findingsSuite } from './findings-suite.ts';
import { grantsSuite } from './grants-suite.ts';
import { journalSuite } from './journal-suite.ts';
import { ledgerReaderSuite } from './ledger-reader-suite.ts';
import { ledgerWriterSuite } from './ledger-writer-suite.ts';
import { periodSuite } from './period-suite.ts';
import { priceBookSuite } from './price-book-suite.ts';
import { priceFreezesSuite } from './price-freezes-suite.ts';
import { reservationsSuite } from './reservations-suite.ts';
import { stopOrdersSuite } from './stop-orders-suite.ts';

const open = () => openLedger({ file: ':memory:' });

journalSuite('sqlite', open);
priceBookSuite('sqlite', open);
grantsSuite('sqlite', open);
ledgerWriterSuite('sqlite', open);
findingsSuite('sqlite', open);
ledgerReaderSuite('sqlite', open);
stopOrdersSuite('sqlite', open);
reservationsSuite('sqlite', open);
priceFreezesSuite('sqlite', open);
periodSuite('sqlite', open);
