// What Grafana calls a dashboard, with the options and field configuration of each panel tied to
// its type. The string enumerations of @grafana/schema are loosened to the texts that JSON has.
import type {
  Dashboard,
  FieldConfigSource,
  Panel,
  RowPanel,
} from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as geomap from '@grafana/schema/dist/esm/raw/composable/geomap/panelcfg/x/GeomapPanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// The query of the Prometheus data source, which @grafana/schema does not hold.
interface Query {
  refId: string;
  expr: string;
  datasource: { type: string; uid: string };
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
}

type Of<T extends string, Options, Field = Record<string, never>> = Omit<
  Panel,
  'type' | 'options' | 'fieldConfig' | 'targets'
> & {
  type: T;
  options: Partial<Options>;
  fieldConfig: FieldConfigSource<Partial<Field>>;
  targets: Query[];
};

type AnyPanel =
  | Of<'bargauge', bargauge.Options>
  | Of<'gauge', gauge.Options>
  | Of<'geomap', geomap.Options>
  | Of<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Of<'stat', stat.Options>
  | Of<'state-timeline', timeline.Options, timeline.FieldConfig>
  | Of<'table', table.Options, table.FieldConfig>
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>;

// What Prometheus' data source makes marks of.
interface Annotation {
  name: string;
  datasource: { type: string; uid: string };
  enable: boolean;
  iconColor: string;
  target: { refId: string; expr: string; interval?: string };
  titleFormat?: string;
  textFormat?: string;
}

// What an import checks.
interface Requirement {
  type: 'grafana' | 'datasource' | 'panel';
  id: string;
  name: string;
  version: string;
}

interface Strict extends Omit<Dashboard, 'panels' | 'annotations'> {
  __requires: Requirement[];
  annotations: { list: Annotation[] };
  panels: Array<AnyPanel | (Omit<RowPanel, 'panels'> & { panels: AnyPanel[] })>;
}

type Texts<T> = T extends string
  ? string extends T
    ? T
    : `${T}`
  : T extends (infer U)[]
    ? Texts<U>[]
    : T extends object
      ? { [K in keyof T]: Texts<T[K]> }
      : T;

export type StrictDashboard = Texts<Strict>;
